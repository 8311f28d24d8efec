import type { Batch } from './batches.ts';

/** No more batches are read ahead than these, or once they have so many bytes of lines. */
const AHEAD_MAX = 32;
const AHEAD_BYTES = 4 << 20;

/** The batches that follow the one that is being sent; each is begun once the one before is read. */
export class UpcomingBatches {
  readonly #next: () => Promise<Batch | undefined>;
  readonly #batches: Promise<Batch | undefined>[] = [];
  #last: Promise<Batch | undefined> = Promise.resolve(undefined);
  /** of the lines of `#batches`, as far as they are read */
  #bytes = 0;

  constructor(next: () => Promise<Batch | undefined>) {
    this.#next = next;
  }

  /** Returns the n-th batch from now on, and begins to read it; undefined: it is too far ahead. */
  at(n: number): Promise<Batch | undefined> | undefined {
    if (n >= AHEAD_MAX) return undefined;
    while (this.#batches.length <= n) {
      if (this.#bytes >= AHEAD_BYTES) return undefined;
      this.#last = this.#last.then(() => this.#read());
      this.#batches.push(this.#last);
    }
    return this.#batches[n];
  }

  /** Takes the next batch; undefined: there is none, because the export ends. */
  async take(): Promise<Batch | undefined> {
    const batch = await this.at(0);
    void this.#batches.shift();
    this.#bytes -= batch?.bytes ?? 0;
    return batch;
  }

  /** Resolves when nothing is being read any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #read(): Promise<Batch | undefined> {
    const batch = await this.#next();
    this.#bytes += batch?.bytes ?? 0;
    return batch;
  }
}
