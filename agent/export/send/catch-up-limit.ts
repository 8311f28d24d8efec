import { setTimeout as pause } from 'node:timers/promises';

/** Limits the average rate of records that are read back from the disk, per second; 0: no limit. */
export class CatchUpLimit {
  readonly #perSecond: number;
  #freeAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Waits until this many records may be sent, or until `signal` is aborted. */
  async wait(records: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === 0) return;
    const now = performance.now();
    const waitMs = this.#freeAt - now;
    this.#freeAt = Math.max(now, this.#freeAt) + (records * 1000) / this.#perSecond;
    if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(() => {});
  }
}
