import { addBounded } from './bounded-set.ts';

/** How many containers are remembered as started, also after their end. */
export const STARTED_MAX = 4096;

/** Knows which containers have started, to distinguish their first process from later entries. */
export class StartedContainers {
  /** Containers whose start is in the journal or was seen. */
  readonly #known: Set<string>;
  /**
   * Containers that count as started because they existed at first; the creation of their cgroup
   * refutes it.
   */
  readonly #assumed = new Set<string>();
  readonly #assume: boolean;

  /** `isWhole`: no container has started but the `known` ones. */
  constructor(known: Iterable<string>, isWhole: boolean) {
    this.#known = new Set(known);
    this.#assume = !isWhole;
  }

  has(key: string): boolean {
    return this.#known.has(key) || this.#assumed.has(key);
  }

  /** Notes the start of a container; false: it has started before. */
  add(key: string): boolean {
    if (this.has(key)) return false;
    addBounded(this.#known, key, STARTED_MAX);
    return true;
  }

  /** Notes that it existed when the agent scanned the cgroups first. */
  assume(key: string): void {
    if (this.#assume) this.#assumed.add(key);
  }

  /** Notes that its cgroup has just been created. */
  doubt(key: string): void {
    this.#assumed.delete(key);
  }
}
