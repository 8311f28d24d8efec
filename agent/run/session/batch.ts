import { LineNotes } from '../../../record/index/line-notes.ts';
import type { LineWriter } from '../../../record/line/encode.ts';
import type { CausalRecord, Place } from '../../../record/types.ts';
import type { Enricher } from '../../enrich/enricher.ts';
import { AgentError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Hook } from '../../source/hook.ts';
import { attended } from '../attended.ts';
import type { WrittenNumbers } from './written-numbers.ts';

/** The size of the buffer; it grows for a line that does not fit, and only until that is on disk. */
const BATCH_BYTES = 2 << 20;
const FULL_BYTES = BATCH_BYTES / 2;
/** A write that takes longer is reported; the disk may still take it. */
const STALLED_MS = 10_000;

export interface BatchOptions {
  readonly enricher: Enricher;
  readonly lines: LineWriter;
  readonly journal: Journal;
  readonly numbers: WrittenNumbers;
  readonly hook: Pick<Hook, 'touch'>;
  /** Called with every record and its line, once it is on disk. */
  readonly onRecord: ((record: CausalRecord, line: string) => void) | undefined;
  report(event: BatchEvent): void;
}

/** The journal cannot be written, or can be written again. */
export type BatchEvent =
  | {
      readonly event: 'journal.write_failed' | 'journal.write_stalled';
      readonly error: Error;
    }
  | { readonly event: 'journal.write_recovered' };

/**
 * Records on their way to the journal: those that fit are lines in one buffer, and the others
 * follow them.
 */
export class Batch {
  /** Records that are not lines yet. Add to them, then call encode(). */
  readonly records: CausalRecord[] = [];
  readonly #options: BatchOptions;
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #length = 0;
  readonly #notes = new LineNotes();
  /** What onRecord gets as soon as the lines are on disk. */
  #encoded: { readonly record: CausalRecord; readonly line: string }[] = [];
  /** What was reported since the journal was last written. */
  #problem: 'failed' | 'stalled' | undefined;
  #isWriting = false;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** Whether it waits for the disk. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether everything that was added is in the journal. */
  get isEmpty(): boolean {
    return this.records.length === 0 && this.#length === 0;
  }

  /** Whether the batch must be written before it takes more records. */
  get isFull(): boolean {
    return this.records.length > 0 || this.#length >= FULL_BYTES;
  }

  /**
   * Makes lines of records until the buffer is half full; the rest waits for the next batch.
   */
  encode(): void {
    const { onRecord, numbers } = this.#options;
    const { records } = this;
    let done = 0;
    for (; done < records.length && this.#length < FULL_BYTES; done++) {
      const record = records[done] as CausalRecord;
      const from = this.#length;
      const place = this.#place(record);
      this.#length = this.#line(record, place, from);
      this.#notes.add(record, place.resource, this.#bytes, from, this.#length);
      numbers.encoded(record);
      if (onRecord) {
        const line = this.#bytes.toString('utf8', from, this.#length);
        this.#encoded.push({ record, line });
      }
    }
    if (done === records.length) records.length = 0;
    else records.splice(0, done);
  }

  /** Writes a line, and returns its end. */
  #line(record: CausalRecord, place: Place, from: number): number {
    const { lines } = this.#options;
    const end = lines.write(record, place, this.#bytes, from);
    if (end <= this.#bytes.length) return end;
    const larger = Buffer.allocUnsafeSlow(end);
    this.#bytes.copy(larger, 0, 0, from);
    this.#bytes = larger;
    return lines.write(record, place, larger, from);
  }

  /**
   * Appends the lines to the journal. Returns false, and keeps the lines, if the journal cannot be
   * written now. Nothing may be added until this resolves.
   */
  async write(): Promise<boolean> {
    const { report, onRecord, hook, journal } = this.#options;
    if (this.#length === 0) return true;
    try {
      await this.#append();
    } catch (error) {
      if (!(error instanceof AgentError && error.isTransient)) throw error;
      if (this.#problem !== 'failed') report({ event: 'journal.write_failed', error });
      this.#problem = 'failed';
      return false;
    }
    if (this.#problem !== undefined) report({ event: 'journal.write_recovered' });
    this.#problem = undefined;
    this.#length = 0;
    if (this.#bytes.length > BATCH_BYTES) this.#bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#notes.clear();
    for (const { record, line } of this.#encoded) onRecord?.(record, line);
    this.#encoded = [];
    // The records of a run about its journal are numbered in their order.
    if (this.isEmpty) await attended(hook, journal.seal({ ifDue: true }));
    return true;
  }

  async #append(): Promise<void> {
    this.#isWriting = true;
    const timer = setTimeout(() => this.#noteStalled(), STALLED_MS).unref();
    try {
      await attended(this.#options.hook, this.#save());
    } finally {
      clearTimeout(timer);
      this.#isWriting = false;
    }
  }

  async #save(): Promise<void> {
    const { journal, enricher, numbers } = this.#options;
    // The next run must know the containers of events that are still in the ring.
    await enricher.saving;
    await journal.append(this.#bytes, this.#length, this.#notes);
    numbers.written();
  }

  #noteStalled(): void {
    if (this.#problem !== undefined) return;
    const error = new AgentError('JOURNAL_DISK_STALLED', { seconds: STALLED_MS / 1000 });
    this.#options.report({ event: 'journal.write_stalled', error });
    this.#problem = 'stalled';
  }

  #place(record: CausalRecord): Place {
    const { enricher } = this.#options;
    return record.action === 'exec' ? enricher.place(record.event) : enricher.hostPlace;
  }
}
