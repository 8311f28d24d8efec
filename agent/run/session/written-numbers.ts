import type { CausalRecord } from '../../../record/types.ts';

/**
 * Knows up to which numbers of a hook everything is in the journal, is reported there as lost, or was in an
 * earlier one.
 */
export class WrittenNumbers {
  readonly #hookId: string;
  /** the next number of each CPU behind the records that are lines by now */
  readonly #encoded: Float64Array;
  /** the same behind those lines that are in the journal */
  readonly #written: Float64Array;

  /** `nextSeq` is the first number of each CPU that is in no journal yet. */
  constructor(hookId: string, nextSeq: Float64Array) {
    this.#hookId = hookId;
    this.#encoded = nextSeq.slice();
    this.#written = nextSeq.slice();
  }

  /** The next number of each CPU. */
  get nextSeq(): readonly number[] {
    return Array.from(this.#written);
  }

  /** Takes a record that is a line now. */
  encoded(record: CausalRecord): void {
    if (record.action === 'exec') {
      const { cpu, seq } = record.event;
      this.#encoded[cpu] = seq + 1;
    } else if (record.action === 'journal.loss') {
      const { hookId, cpu, lastSeq } = record.loss;
      if (hookId !== this.#hookId || cpu === undefined || lastSeq === undefined) return;
      this.#encoded[cpu] = Math.max(this.#encoded[cpu] ?? 1, lastSeq + 1);
    }
  }

  /** Says that all lines are in the journal. */
  written(): void {
    this.#written.set(this.#encoded);
  }
}
