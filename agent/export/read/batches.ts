import { LogRecordEncoder } from '../encode/log-record-encoder.ts';
import { RequestBuilder } from '../encode/request-builder.ts';
import type { JournalReader, Line } from './journal-reader.ts';
import type { Position } from './position.ts';

/** Records that are exported together, in the journal's order. Valid until the next but one is made. */
export interface Batch {
  readonly requests: RequestBuilder;
  /** Where each record's line begins. */
  readonly starts: readonly Position[];
  /** Where lines begin of which no record could be made. */
  readonly unreadable: readonly Position[];
  /** Behind the last line that it comes from, also of those that are kept back. */
  readonly end: Position;
  /** Unix seconds of its last record; undefined: it has none. */
  readonly lastTime: number | undefined;
  /** It was read back from the disk. */
  readonly isBehind: boolean;
}

export interface BatchOptions {
  readonly maxRecords: number;
  /** of the lines; what goes out is at most half as much again */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** of the agent */
  readonly version: string;
  /** The record of a line is exported; called once for each; throws a SyntaxError for what is none. */
  passes(line: Line): boolean;
}

/** Cuts what a tail gives into batches, by count, bytes and age. */
export class Batches {
  readonly #options: BatchOptions;
  readonly #tail: JournalReader;
  /** One is on its way while the other is filled. */
  #requests: RequestBuilder;
  #others: RequestBuilder;

  constructor(options: BatchOptions, tail: JournalReader) {
    const encoder = new LogRecordEncoder();
    this.#requests = new RequestBuilder(options.version, encoder);
    this.#others = new RequestBuilder(options.version, encoder);
    this.#options = options;
    this.#tail = tail;
  }

  /** The next batch; once `ending` is aborted what there is, and undefined when there is nothing. */
  async next(ending: AbortSignal): Promise<Batch | undefined> {
    const { maxRecords, maxBytes, maxAgeMs } = this.#options;
    const tail = this.#tail;
    const filling = this.#begin();
    const { requests } = filling;
    let dueAt = Number.POSITIVE_INFINITY;
    for (;;) {
      for (let bytes = tail.nextBytes; bytes > 0; bytes = tail.nextBytes) {
        const { count } = requests;
        if (count > 0 && (count >= maxRecords || filling.bytes + bytes > maxBytes))
          return this.#taken(filling);
        if (filling.isEmpty) dueAt = performance.now() + maxAgeMs;
        this.#add(filling, bytes);
      }
      const waitMs = dueAt - performance.now();
      if (waitMs <= 0) return this.#taken(filling);
      const isLast = ending.aborted;
      try {
        if (await tail.fill()) continue;
      } catch (error) {
        if (filling.isEmpty) throw error;
        return this.#taken(filling);
      }
      if (isLast) return filling.isEmpty ? undefined : this.#taken(filling);
      await tail.wait(ending, filling.isEmpty ? undefined : waitMs);
    }
  }

  #begin(): Filling {
    const requests = this.#others;
    this.#others = this.#requests;
    this.#requests = requests;
    requests.clear();
    return {
      requests,
      starts: [],
      unreadable: [],
      lastTime: undefined,
      isBehind: false,
      isEmpty: true,
      bytes: 0,
    };
  }

  #add(filling: Filling, bytes: number): void {
    const tail = this.#tail;
    const start = tail.position;
    filling.isEmpty = false;
    filling.isBehind ||= tail.isBehind;
    filling.bytes += bytes;
    try {
      const line = tail.take(bytes);
      if (!this.#options.passes(line)) return;
      filling.lastTime = filling.requests.add(line.bytes, line.from, line.to);
      filling.starts.push(start);
    } catch {
      filling.unreadable.push(start);
    }
  }

  #taken({ requests, starts, unreadable, lastTime, isBehind }: Filling): Batch {
    return { requests, starts, unreadable, lastTime, isBehind, end: this.#tail.position };
  }
}

interface Filling {
  readonly requests: RequestBuilder;
  readonly starts: Position[];
  readonly unreadable: Position[];
  lastTime: number | undefined;
  isBehind: boolean;
  isEmpty: boolean;
  bytes: number;
}
