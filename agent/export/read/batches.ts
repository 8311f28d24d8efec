import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EncodedRecords } from '../encode/encoded-records.ts';
import type { LogRecordEncoder } from '../encode/log-record-encoder.ts';
import { readLogRecord } from '../encode/read-log-record.ts';
import type { Scope } from '../encode/scope.ts';
import type { JournalReader, Line } from './journal-reader.ts';
import type { Position } from './position.ts';

/** One is being sent, and one is prepared meanwhile. */
const FREE_MAX = 2;

/** Records that are exported together, in the order of the journal; valid until it is released. */
export interface Batch {
  readonly records: readonly ReadableLogRecord[];
  /** What holds the records that our encoder has encoded. */
  readonly encoded: EncodedRecords;
  /** Where the line of each record begins. */
  readonly starts: readonly Position[];
  /**
   * The number of records that the encoder could not read and that the stock serializer encodes.
   */
  readonly notEncoded: number;
  /** Where the lines begin that are not records. */
  readonly unreadable: readonly Position[];
  /** The position after its last line, which may be one that a rule kept back. */
  readonly end: Position;
  /** Unix seconds of its last record; undefined: it has no record. */
  readonly lastTime: number | undefined;
  /** At least one of its lines was read back from the disk. */
  readonly isBehind: boolean;
}

export interface BatchOptions {
  readonly maxRecords: number;
  /** of the lines; a request is at most half as large again */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly scope: Scope;
  readonly encoder: LogRecordEncoder;
  /**
   * Says whether a line is exported; called once per line. Throws a SyntaxError if it is not a
   * record.
   */
  passes(line: Line): boolean;
  /** Says the same, and counts nothing. */
  mayPass(line: Line): boolean;
}

/** Collects the lines of a reader into batches, by count, bytes and age. */
export class Batches {
  readonly #options: BatchOptions;
  readonly #reader: JournalReader;
  /** Those of batches that were released. */
  readonly #free: EncodedRecords[] = [];

  constructor(options: BatchOptions, reader: JournalReader) {
    this.#options = options;
    this.#reader = reader;
  }

  /** Returns the next batch. Once `ending` is aborted, returns what there is, or undefined. */
  async next(ending: AbortSignal): Promise<Batch | undefined> {
    const { maxRecords, maxBytes, maxAgeMs } = this.#options;
    const reader = this.#reader;
    const filling = this.#begin();
    const { records } = filling;
    let dueAt = Number.POSITIVE_INFINITY;
    for (;;) {
      for (let bytes = reader.nextBytes; bytes > 0; bytes = reader.nextBytes) {
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
        if (await reader.fill()) continue;
      } catch (error) {
        if (filling.isEmpty) throw error;
        return this.#taken(filling);
      }
      if (isLast) return filling.isEmpty ? undefined : this.#taken(filling);
      await reader.wait(ending, filling.isEmpty ? undefined : waitMs);
    }
  }

  /** Encodes a line as in a batch, by itself; undefined: it is not exported, or is no record. */
  alone(line: Line): ReadableLogRecord | undefined {
    const { scope, encoder, mayPass } = this.#options;
    try {
      if (!mayPass(line)) return undefined;
      return new EncodedRecords(scope, encoder).add(line.bytes, line.from, line.to);
    } catch {
      return undefined;
    }
  }

  /** Uses the memory of a batch again, unless there is enough for reading ahead. */
  release({ encoded }: Batch): void {
    encoded.clear();
    if (this.#free.length < FREE_MAX) this.#free.push(encoded);
  }

  #begin(): Filling {
    const { scope, encoder } = this.#options;
    return {
      encoded: this.#free.pop() ?? new EncodedRecords(scope, encoder),
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
    const reader = this.#reader;
    const start = reader.position;
    filling.isEmpty = false;
    filling.isBehind ||= reader.isBehind;
    filling.bytes += bytes;
    const line = reader.take(bytes);
    try {
      if (!this.#options.passes(line)) return;
      this.#addRecord(filling, line);
      filling.starts.push(start);
    } catch {
      filling.unreadable.push(start);
    }
  }

  /** Throws a SyntaxError if the line is not a record. */
  #addRecord(filling: Filling, line: Line): void {
    try {
      const record = filling.encoded.add(line.bytes, line.from, line.to);
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

  #taken(filling: Filling): Batch {
    return { ...filling, end: this.#reader.position };
  }
}

interface Filling {
  readonly encoded: EncodedRecords;
  readonly records: ReadableLogRecord[];
  readonly starts: Position[];
  notEncoded: number;
  readonly unreadable: Position[];
  lastTime: number | undefined;
  isBehind: boolean;
  isEmpty: boolean;
  bytes: number;
}
