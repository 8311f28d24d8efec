/** A timer of the agent; it never keeps a process alive. */
export interface Timer {
  unref(): Timer;
  ref(): Timer;
}

interface Due extends Timer {
  readonly at: number;
  readonly n: number;
  readonly job: () => void;
}

/** Time that passes only from one event to the next, in milliseconds. */
export class VirtualClock {
  now = 0;
  #due: Due[] = [];
  #n = 0;

  /** Calls `job` after so many milliseconds; events of one moment keep their order. */
  after(ms: number, job: () => void): Timer {
    const due: Due = {
      at: this.now + Math.max(0, ms || 0),
      n: this.#n++,
      job,
      ref: () => due,
      unref: () => due,
    };
    const index = this.#due.findLastIndex(({ at }) => at <= due.at);
    this.#due.splice(index + 1, 0, due);
    return due;
  }

  cancel(timer: unknown): void {
    const index = this.#due.indexOf(timer as Due);
    if (index >= 0) this.#due.splice(index, 1);
  }

  /** Lets the next event happen; returns false if there is none. */
  step(): boolean {
    const due = this.#due.shift();
    if (due === undefined) return false;
    this.now = Math.max(this.now, due.at);
    due.job();
    return true;
  }

  /** Forgets all events, as a process does that is killed. */
  clear(): void {
    this.#due = [];
  }
}
