import { Refusal } from './refusal.ts';

/** Lets a few questions be answered at once; some more wait, and the rest are refused. */
export class Turns {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  readonly #waitingMost: number;
  readonly #running = new Set<Promise<unknown>>();
  #taken = 0;

  constructor(most: number, waitingMost: number) {
    this.#most = most;
    this.#waitingMost = waitingMost;
  }

  /** Runs work when its turn comes; a signal ends the waiting. */
  async take(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (this.#taken >= this.#most) await this.#turn(signal);
    else this.#taken += 1;
    const running = (async () => {
      signal.throwIfAborted();
      await work();
    })();
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next();
    }
  }

  /** Waits until nothing runs. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#waitingMost)
      throw new Refusal(503, 'too many questions at once: ask again in a moment', {
        'retry-after': '1',
      });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      const at = this.#waiting.indexOf(turn);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal.reason);
    };
    const turn = () => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(turn);
    return promise;
  }
}
