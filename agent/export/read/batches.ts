import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EncodedRecords } from '../encode/encoded-records.ts';
import type { LogRecordEncoder } from '../encode/log-record-encoder.ts';
import { readLogRecord } from '../encode/read-log-record.ts';
import type { Scope } from '../encode/scope.ts';
import type { JournalReader, Line } from './journal-reader.ts';
import type { Position } from './position.ts';

/** Records that are exported together, in the journal's order. Valid until the next but one is made. */
export interface Batch {
  readonly records: readonly ReadableLogRecord[];
  /** Where each record's line begins. */
  readonly starts: readonly Position[];
  /** How many of the records the encoder could not read, so that they are left to the stock serializer. */
  readonly notEncoded: number;
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
  readonly scope: Scope;
  readonly encoder: LogRecordEncoder;
  /** The record of a line is exported; called once for each; throws a SyntaxError for what is none. */
  passes(line: Line): boolean;
}

/** Cuts what a tail gives into batches, by count, bytes and age. */
export class Batches {
  readonly #options: BatchOptions;
  readonly #tail: JournalReader;
  /** One is on its way while the other is filled. */
  #encoded: EncodedRecords;
  #others: EncodedRecords;

  constructor(options: BatchOptions, tail: JournalReader) {
    this.#encoded = new EncodedRecords(options.scope, options.encoder);
    this.#others = new EncodedRecords(options.scope, options.encoder);
    this.#options = options;
    this.#tail = tail;
  }

  /** The next batch; once `ending` is aborted what there is, and undefined when there is nothing. */
  async next(ending: AbortSignal): Promise<Batch | undefined> {
    const { maxRecords, maxBytes, maxAgeMs } = this.#options;
    const tail = this.#tail;
    const filling = this.#begin();
    const { records } = filling;
    let dueAt = Number.POSITIVE_INFINITY;
    for (;;) {
      for (let bytes = tail.nextBytes; bytes > 0; bytes = tail.nextBytes) {
        const { length } = records;
        if (length > 0 && (length >= maxRecords || filling.bytes + bytes > maxBytes))
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
    const encoded = this.#others;
    this.#others = this.#encoded;
    this.#encoded = encoded;
    encoded.clear();
    return {
      records: [],
      starts: [],
      notEncoded: 0,
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
    const line = tail.take(bytes);
    try {
      if (!this.#options.passes(line)) return;
      this.#addRecord(filling, line);
      filling.starts.push(start);
    } catch {
      filling.unreadable.push(start);
    }
  }

  /** Throws a SyntaxError for what is no line of a journal. */
  #addRecord(filling: Filling, line: Line): void {
    try {
      const record = this.#encoded.add(line.bytes, line.from, line.to);
      filling.records.push(record);
      filling.lastTime = record.seconds;
    } catch {
      const text = line.bytes.toString('utf8', line.from, line.to);
      const record = readLogRecord(text, this.#options.scope);
      filling.records.push(record);
      filling.lastTime = record.hrTime[0];
      filling.notEncoded += 1;
    }
  }

  #taken({ records, starts, notEncoded, unreadable, lastTime, isBehind }: Filling): Batch {
    const end = this.#tail.position;
    return { records, starts, notEncoded, unreadable, lastTime, isBehind, end };
  }
}

interface Filling {
  readonly records: ReadableLogRecord[];
  readonly starts: Position[];
  notEncoded: number;
  readonly unreadable: Position[];
  lastTime: number | undefined;
  isBehind: boolean;
  isEmpty: boolean;
  bytes: number;
}
