import type { Batch } from './batches.ts';

/** How many batches may be read ahead. */
const AHEAD_MAX = 32;

/** The batches that follow the one that is being sent; each is begun once the one before is read. */
export class UpcomingBatches {
  readonly #next: () => Promise<Batch | undefined>;
  readonly #batches: Promise<Batch | undefined>[] = [];
  #last: Promise<Batch | undefined> = Promise.resolve(undefined);

  constructor(next: () => Promise<Batch | undefined>) {
    this.#next = next;
  }

  /** Returns the n-th batch from now on, and begins to read it; undefined: it is too far ahead. */
  at(n: number): Promise<Batch | undefined> | undefined {
    if (n >= AHEAD_MAX) return undefined;
    while (this.#batches.length <= n) {
      this.#last = this.#last.then(this.#next);
      this.#batches.push(this.#last);
    }
    return this.#batches[n];
  }

  /** Takes the next batch; undefined: there is none, because the export ends. */
  async take(): Promise<Batch | undefined> {
    const batch = this.at(0);
    void this.#batches.shift();
    return batch;
  }

  /** Resolves when nothing is being read any more. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
