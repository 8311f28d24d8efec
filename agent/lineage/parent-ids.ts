const SLOTS = 256;

/**
 * Ids of the parents that had children last, by CPU and number. Few on purpose: what is kept for
 * long makes work for the garbage collector, and an id is computed in half a microsecond.
 */
export class ParentIds {
  readonly #cpus = new Int32Array(SLOTS).fill(-1);
  readonly #seqs = new Float64Array(SLOTS);
  readonly #ids = new Array<string>(SLOTS).fill('');

  /** The id of a parent, made by `compute` if it is not among the last. */
  of(cpu: number, seq: number, compute: () => string): string {
    const slot = (seq * 31 + cpu * 17) % SLOTS;
    if (this.#cpus[slot] === cpu && this.#seqs[slot] === seq) return this.#ids[slot] ?? compute();
    this.#cpus[slot] = cpu;
    this.#seqs[slot] = seq;
    this.#ids[slot] = compute();
    return this.#ids[slot] ?? '';
  }
}
