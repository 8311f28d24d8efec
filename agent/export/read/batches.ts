import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EncodedRecords } from '../encode/encoded-records.ts';
import type { LogRecordEncoder } from '../encode/log-record-encoder.ts';
import { readLogRecord } from '../encode/read-log-record.ts';
import type { Scope } from '../encode/scope.ts';
import type { WithheldExec } from './filter.ts';
import type { JournalReader, Line } from './journal-reader.ts';
import type { Position } from './position.ts';
import { Withheld } from './withheld.ts';

/** One is being sent, and one is prepared meanwhile. */
const FREE_MAX = 2;
/** Records that are withheld are reported after this time, or with those that are exported. */
const WITHHELD_AGE_MS = 1000;
/** Whatever a journal contains, a request stays small. */
const WITHHELD_RANGES_MAX = 8192;

/**
 * Records that are exported together, in the order of the journal, and behind them those that say
 * which others rules kept back; valid until it is released.
 */
export interface Batch {
  readonly records: readonly ReadableLogRecord[];
  /** What holds the records that our encoder has encoded. */
  readonly encoded: EncodedRecords;
  /** Where the line of each record begins, or the first line of those that it is about. */
  readonly starts: readonly Position[];
  /**
   * The number of records that the encoder could not read and that the stock serializer encodes.
   */
  readonly notEncoded: number;
  /** Where the lines begin that are not records. */
  readonly unreadable: readonly Position[];
  /** of the lines of its records */
  readonly bytes: number;
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
   * Returns the exec of a line that is not exported; called once per line. Throws a SyntaxError if
   * it is not a record.
   */
  withheld(line: Line): WithheldExec | undefined;
  /** Says whether a line is exported, and counts nothing. */
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
    const { maxRecords, maxBytes } = this.#options;
    const reader = this.#reader;
    const filling = this.#begin();
    const { records, withheld } = filling;
    for (;;) {
      for (let bytes = reader.nextBytes; bytes > 0; bytes = reader.nextBytes) {
        const { length } = records;
        if (length > 0 && (length >= maxRecords || filling.bytes + bytes > maxBytes))
          return this.#taken(filling);
        if (withheld.size >= WITHHELD_RANGES_MAX) return this.#taken(filling);
        this.#add(filling, bytes);
      }
      const waitMs = filling.dueAt - performance.now();
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
      withheld: new Withheld(),
      lastTime: undefined,
      isBehind: false,
      isEmpty: true,
      bytes: 0,
      ageMs: Number.POSITIVE_INFINITY,
      dueAt: Number.POSITIVE_INFINITY,
    };
  }

  #add(filling: Filling, bytes: number): void {
    const reader = this.#reader;
    const start = reader.position;
    filling.isEmpty = false;
    filling.isBehind ||= reader.isBehind;
    const line = reader.take(bytes);
    try {
      const exec = this.#options.withheld(line);
      if (exec !== undefined) {
        withhold(filling, exec, start);
        return;
      }
      filling.bytes += bytes;
      this.#addRecord(filling, line);
      filling.starts.push(start);
    } catch {
      filling.unreadable.push(start);
    }
    expire(filling, this.#options.maxAgeMs);
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
    for (const { start, record } of filling.withheld.records(this.#options.scope)) {
      filling.records.push(record);
      filling.starts.push(start);
    }
    return { ...filling, end: this.#reader.position };
  }
}

function withhold(filling: Filling, exec: WithheldExec, start: Position): void {
  filling.withheld.add(exec, start);
  filling.lastTime = Number(exec.timestamp.slice(0, -9));
  if (filling.records.length === 0) expire(filling, WITHHELD_AGE_MS);
}

/** The batch is due so long after this line, or earlier. */
function expire(filling: Filling, ageMs: number): void {
  if (ageMs >= filling.ageMs) return;
  filling.ageMs = ageMs;
  filling.dueAt = Math.min(filling.dueAt, performance.now() + ageMs);
}

interface Filling {
  readonly encoded: EncodedRecords;
  readonly records: ReadableLogRecord[];
  readonly starts: Position[];
  notEncoded: number;
  readonly unreadable: Position[];
  readonly withheld: Withheld;
  lastTime: number | undefined;
  isBehind: boolean;
  isEmpty: boolean;
  /** of the lines of its records */
  bytes: number;
  /** how old the batch may become after a line of its kind, and when it is due therefore */
  ageMs: number;
  dueAt: number;
}
