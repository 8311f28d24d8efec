import { setImmediate as turn } from 'node:timers/promises';

/** The pause after a search, as a multiple of the time that it took. */
const PAUSE_PER_SEARCH = 9;
/** So many cgroups are looked at before other work has its turn: some milliseconds. */
const PIECE = 100;
/** How long records wait for a search. */
const WAIT_MS = 500;
/** How long a cgroup that a search did not find is not searched for again. */
const MISSING_MS = 1000;
const MISSING_MAX = 1024;

/**
 * Searches the file system for cgroups, in pieces and for a tenth of the time: others can make any number
 * of cgroups. A cgroup is named by its key.
 */
export class Search {
  readonly #walk: () => Generator<void>;
  readonly #now: () => number;
  #isRunning = false;
  #isStopped = false;
  #pauseEnds = 0;
  #waitEnds = 0;
  /** what the search is for that is under way */
  readonly #wanted = new Set<string>();
  /** until when a cgroup that the last searches did not find counts as missing */
  readonly #missing = new Map<string, number>();

  /** `walk` looks at all cgroups, and yields after each one; `now` is a clock in milliseconds. */
  constructor(walk: () => Generator<void>, now: () => number) {
    this.#walk = walk;
    this.#now = now;
  }

  /** Whether none is under way. */
  get isIdle(): boolean {
    return !this.#isRunning && !this.#isStopped;
  }

  /** Whether none is under way, and the pause after the last one is over. */
  get isAllowed(): boolean {
    return this.isIdle && this.#now() >= this.#pauseEnds;
  }

  /**
   * Begins a search for these cgroups if that is allowed, unless the last one found none of them. Returns
   * whether a record should wait for the search that is under way.
   */
  request(keys: readonly string[]): boolean {
    const now = this.#now();
    if (keys.every((key) => now < (this.#missing.get(key) ?? now))) return false;
    if (this.isAllowed) this.begin(keys);
    if (!this.#isRunning || this.#isStopped) return false;
    if (this.#wanted.size < MISSING_MAX) for (const key of keys) this.#wanted.add(key);
    return now < this.#waitEnds;
  }

  /** Notes that a cgroup was found; returns whether it was searched for. */
  find(key: string): boolean {
    return this.#wanted.delete(key);
  }

  /** Begins a search. One that fails, because of a lack of files or memory, has found nothing. */
  begin(keys: readonly string[] = []): void {
    this.run(keys).catch(() => {
      this.#pauseEnds = Math.max(this.#pauseEnds, this.#now() + MISSING_MS);
    });
  }

  /** Looks at all cgroups, for these above all. Not more than one search may be under way. */
  async run(keys: readonly string[] = []): Promise<void> {
    this.#isRunning = true;
    const began = this.#now();
    this.#waitEnds = began + WAIT_MS;
    for (const key of keys) this.#wanted.add(key);
    const walk = this.#walk();
    let took = 0;
    try {
      for (let isOver = false; !isOver && !this.#isStopped; ) {
        const from = this.#now();
        try {
          isOver = isOverAfter(walk, PIECE);
        } finally {
          took += this.#now() - from;
        }
        if (!isOver) await turn();
      }
    } finally {
      walk.return(undefined);
      if (this.#missing.size >= MISSING_MAX) this.#missing.clear();
      // What became wanted meanwhile may be where the search had been before.
      for (const key of keys) if (this.#wanted.has(key)) this.#missing.set(key, began + MISSING_MS);
      this.#wanted.clear();
      this.#pauseEnds = this.#now() + PAUSE_PER_SEARCH * took;
      this.#isRunning = false;
    }
  }

  /** Ends a search that is under way; no other one begins. */
  stop(): void {
    this.#isStopped = true;
  }
}

function isOverAfter(walk: Generator<void>, steps: number): boolean {
  for (let step = 0; step < steps; step++) if (walk.next().done) return true;
  return false;
}
