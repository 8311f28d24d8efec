import type { LineWriter } from '../../record/line/encode.ts';
import type { CausalRecord, Place } from '../../record/types.ts';
import type { Enricher } from '../enrich/enricher.ts';
import { AgentError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';

/** Lines of one write. The longest possible line, 32 KiB of bytes as `\\\\xHH`, is far below a quarter. */
const BATCH_BYTES = 2 << 20;
const FULL_BYTES = BATCH_BYTES / 2;

export interface BatchOptions {
  readonly enricher: Enricher;
  readonly lines: LineWriter;
  readonly journal: Journal;
  /** Called with every record and its line, once it is on disk. */
  readonly onRecord: ((record: CausalRecord, line: string) => void) | undefined;
  report(event: BatchEvent): void;
}

/** The journal cannot be written, or can be again. */
export type BatchEvent =
  | { readonly event: 'journal.write_failed'; readonly error: Error }
  | { readonly event: 'journal.write_recovered' };

/** What is on its way to the journal: lines in one buffer, as many as fit, and the records behind them. */
export class Batch {
  /** Records that encode() has not come to yet; whoever adds some calls it. */
  readonly records: CausalRecord[] = [];
  readonly #options: BatchOptions;
  readonly #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #length = 0;
  /** For onRecord, when they are on disk. */
  #encoded: { readonly record: CausalRecord; readonly line: string }[] = [];
  #isStuck = false;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** It takes no more records until it is written. */
  get isFull(): boolean {
    return this.records.length > 0 || this.#length >= FULL_BYTES;
  }

  /** Makes lines of records as long as any line fits; the rest stays for the next batch. */
  encode(): void {
    const { lines, onRecord } = this.#options;
    const { records } = this;
    let done = 0;
    for (; done < records.length && this.#length < FULL_BYTES; done++) {
      const record = records[done] as CausalRecord;
      const from = this.#length;
      this.#length = lines.write(record, this.#place(record), this.#bytes, from);
      if (onRecord) {
        const line = this.#bytes.toString('utf8', from, this.#length);
        this.#encoded.push({ record, line });
      }
    }
    if (done === records.length) records.length = 0;
    else records.splice(0, done);
  }

  /** Hands the lines to the journal; false: it does not take them now, and they stay. */
  write(): boolean {
    const { journal, report, onRecord } = this.#options;
    if (this.#length === 0) return true;
    try {
      journal.append(this.#bytes, this.#length);
    } catch (error) {
      if (!(error instanceof AgentError && error.isTransient)) throw error;
      if (!this.#isStuck) report({ event: 'journal.write_failed', error });
      this.#isStuck = true;
      return false;
    }
    if (this.#isStuck) report({ event: 'journal.write_recovered' });
    this.#isStuck = false;
    this.#length = 0;
    for (const { record, line } of this.#encoded) onRecord?.(record, line);
    this.#encoded = [];
    return true;
  }

  #place(record: CausalRecord): Place {
    const { enricher } = this.#options;
    return record.action === 'exec' ? enricher.place(record.event) : enricher.hostPlace;
  }
}
