const SLOTS = 16384;

/** Ids of recent records by CPU and number: most parents ran not long before their children. */
export class ParentIds {
  readonly #cpus = new Int32Array(SLOTS).fill(-1);
  readonly #seqs = new Float64Array(SLOTS);
  readonly #ids = new Array<string>(SLOTS).fill('');

  remember(cpu: number, seq: number, id: string): void {
    const slot = slotOf(cpu, seq);
    this.#cpus[slot] = cpu;
    this.#seqs[slot] = seq;
    this.#ids[slot] = id;
  }

  find(cpu: number, seq: number): string | undefined {
    const slot = slotOf(cpu, seq);
    const known = this.#cpus[slot] === cpu && this.#seqs[slot] === seq;
    return known ? this.#ids[slot] : undefined;
  }
}

function slotOf(cpu: number, seq: number): number {
  return (seq * 31 + cpu * 7919) % SLOTS;
}
