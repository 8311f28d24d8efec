import { type EncodedBatch, JournalLogRecord } from './journal-log-record.ts';
import type { LogRecordEncoder } from './log-record-encoder.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Resource } from './resources.ts';
import type { Scope } from './scope.ts';

/** The records of a batch. Each is encoded once, however often it is sent. */
export class EncodedRecords implements EncodedBatch {
  readonly scope: Scope;
  readonly #encoder: LogRecordEncoder;
  readonly #records = new ProtobufWriter();
  /** the lines of the records, one after the other */
  readonly #lines = new ProtobufWriter();
  /** by record: its resource, and where its encoding and its line end */
  readonly #resources: Resource[] = [];
  readonly #ends: number[] = [];
  readonly #lineEnds: number[] = [];

  /** Batches can share an encoder. */
  constructor(scope: Scope, encoder: LogRecordEncoder) {
    this.scope = scope;
    this.#encoder = encoder;
  }

  /** Discards the records; the memory is used again. */
  clear(): void {
    this.#records.clear();
    this.#lines.clear();
    this.#resources.length = 0;
    this.#ends.length = 0;
    this.#lineEnds.length = 0;
  }

  /**
   * Adds the record of a line, without its line feed. Throws a SyntaxError, and adds nothing, if
   * the encoder does not recognize the line.
   */
  add(bytes: Buffer, from: number, to: number): JournalLogRecord {
    const length = this.#records.length;
    try {
      const { resource, seconds } = this.#encoder.encode(this.#records, bytes, from, to);
      this.#lines.bytes(bytes, from, to);
      this.#resources.push(resource);
      this.#lineEnds.push(this.#lines.length);
      const index = this.#ends.push(this.#records.length) - 1;
      return new JournalLogRecord(this, index, seconds);
    } catch (error) {
      this.#records.clear(length);
      throw error;
    }
  }

  resourceOf(index: number): Resource {
    return this.#resources[index] as Resource;
  }

  encoded(first: number, end: number): Uint8Array {
    return this.#records.written(startOf(this.#ends, first), this.#ends[end - 1]);
  }

  lineOf(index: number): string {
    return this.#lines.written(startOf(this.#lineEnds, index), this.#lineEnds[index]).toString();
  }
}

function startOf(ends: readonly number[], index: number): number {
  return index === 0 ? 0 : (ends[index - 1] as number);
}
