import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Position } from './position.ts';
import type { Tail } from './tail.ts';

/** A line and what goes out of it. */
export interface Entry {
  readonly line: string;
  /** undefined: it could not be read */
  readonly record: ReadableLogRecord | undefined;
}

/** Entries that are exported together, in the journal's order. */
export interface Batch {
  readonly entries: readonly Entry[];
  /** Behind the last line that it comes from, also of those that are kept back. */
  readonly end: Position;
  /** It was read back from the disk. */
  readonly isBehind: boolean;
}

export interface BatchOptions {
  readonly maxRecords: number;
  /** of the lines; what goes out is at most half as much again */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  recordOf(line: string): ReadableLogRecord;
  /** The record is exported; called once for each. */
  passes(record: ReadableLogRecord): boolean;
}

/** Cuts what a tail gives into batches, by count, bytes and age. */
export class Batches {
  readonly #options: BatchOptions;
  readonly #tail: Tail;

  constructor(options: BatchOptions, tail: Tail) {
    this.#options = options;
    this.#tail = tail;
  }

  /** The next batch; once `ending` is aborted what there is, and undefined when there is nothing. */
  async next(ending: AbortSignal): Promise<Batch | undefined> {
    const { maxRecords, maxBytes, maxAgeMs } = this.#options;
    const tail = this.#tail;
    const entries: Entry[] = [];
    let bytes = 0;
    let end: Position | undefined;
    let dueAt = Number.POSITIVE_INFINITY;
    let isBehind = false;
    for (;;) {
      for (let next = tail.line; next !== undefined; next = tail.line) {
        const size = Buffer.byteLength(next.line);
        const isFull = entries.length >= maxRecords || (bytes > 0 && bytes + size > maxBytes);
        if (isFull && end !== undefined) return { entries, end, isBehind };
        const entry = this.#entryOf(next.line);
        if (entry !== undefined) entries.push(entry);
        if (entry !== undefined) bytes += size;
        if (end === undefined) dueAt = performance.now() + maxAgeMs;
        end = { segment: next.segment, offset: next.offset };
        isBehind ||= tail.isBehind;
        tail.advance();
      }
      const waitMs = dueAt - performance.now();
      if (end !== undefined && waitMs <= 0) return { entries, end, isBehind };
      const isLast = ending.aborted;
      try {
        if (await tail.fill()) continue;
      } catch (error) {
        if (end === undefined) throw error;
        return { entries, end, isBehind };
      }
      if (isLast) return end && { entries, end, isBehind };
      await tail.wait(ending, end && waitMs);
    }
  }

  #entryOf(line: string): Entry | undefined {
    let record: ReadableLogRecord;
    try {
      record = this.#options.recordOf(line);
    } catch {
      return { line, record: undefined };
    }
    return this.#options.passes(record) ? { line, record } : undefined;
  }
}
