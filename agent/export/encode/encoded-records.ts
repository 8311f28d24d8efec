import { type EncodedBatch, JournalLogRecord } from './journal-log-record.ts';
import type { LogRecordEncoder } from './log-record-encoder.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Resource } from './resources.ts';
import type { Scope } from './scope.ts';

/** The records of a batch, each of them encoded once, however often it is sent. */
export class EncodedRecords implements EncodedBatch {
  readonly scope: Scope;
  readonly #encoder: LogRecordEncoder;
  readonly #records = new ProtobufWriter();
  /** The lines that the records were made of, one behind the other. */
  readonly #lines = new ProtobufWriter();
  /** of each record: its resource, and where it and its line end */
  readonly #resources: Resource[] = [];
  readonly #ends: number[] = [];
  readonly #lineEnds: number[] = [];

  /** Others may use the encoder too. */
  constructor(scope: Scope, encoder: LogRecordEncoder) {
    this.scope = scope;
    this.#encoder = encoder;
  }

  /** Forgets the records; the memory stays for others. */
  clear(): void {
    this.#records.clear();
    this.#lines.clear();
    this.#resources.length = 0;
    this.#ends.length = 0;
    this.#lineEnds.length = 0;
  }

  /**
   * Adds the record of a line, which is without its line feed. Throws a SyntaxError, and adds nothing,
   * for what the encoder does not know as a line of a journal.
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
