/** Containers of which it is remembered that they have started, after they are gone. */
const KEYS_MAX = 4096;

/** Which containers have started, so that whoever enters one later is told from its first process. */
export class Started {
  /** Told by the journal, or seen. */
  readonly #known: Set<string>;
  /** Taken to have started because they were there at first; their cgroup's making says otherwise. */
  readonly #assumed = new Set<string>();
  readonly #assume: boolean;

  /** undefined: nothing is known of what was before. */
  constructor(known: Iterable<string> | undefined) {
    this.#known = new Set(known);
    this.#assume = known === undefined;
  }

  has(key: string): boolean {
    return this.#known.has(key) || this.#assumed.has(key);
  }

  /** True: this is its start. */
  add(key: string): boolean {
    if (this.has(key)) return false;
    this.#known.add(key);
    for (const oldest of this.#known) {
      if (this.#known.size <= KEYS_MAX) break;
      this.#known.delete(oldest);
    }
    return true;
  }

  /** It was there when the agent began to look. */
  assume(key: string): void {
    if (this.#assume) this.#assumed.add(key);
  }

  /** Its cgroup is only made now. */
  doubt(key: string): void {
    this.#assumed.delete(key);
  }
}
