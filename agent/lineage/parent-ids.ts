import type { Uuid } from '../../record/types.ts';

const SLOTS = 256;

/**
 * A cache of parents' ids, by CPU and number. It is small on purpose: objects that live long make
 * work for the garbage collector, and an id is computed in half a microsecond.
 */
export class ParentIds {
  readonly #cpus = new Int32Array(SLOTS).fill(-1);
  readonly #seqs = new Float64Array(SLOTS);
  readonly #ids = new Array<Uuid | undefined>(SLOTS).fill(undefined);

  /** Returns the id of a parent, and computes it unless it is in the cache. */
  of(cpu: number, seq: number, compute: () => Uuid): Uuid {
    const slot = (seq * 31 + cpu * 17) % SLOTS;
    if (this.#cpus[slot] === cpu && this.#seqs[slot] === seq) return this.#ids[slot] ?? compute();
    const id = compute();
    this.#cpus[slot] = cpu;
    this.#seqs[slot] = seq;
    this.#ids[slot] = id;
    return id;
  }
}
