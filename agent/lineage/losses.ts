/** Runs of one hook's numbers that are known to be lost, by CPU. */
export class Losses {
  /** By CPU: first, last, first, last, …, rising, never touching. */
  readonly #runs: number[][];

  constructor(runs: readonly (readonly number[])[] = []) {
    this.#runs = runs.map((run) => [...run]);
  }

  /** Records that first..last are lost; first is beyond all that was recorded before. */
  add(cpu: number, first: number, last: number): void {
    const runs = this.#of(cpu);
    if (runs.length > 0 && runs[runs.length - 1] === first - 1) runs[runs.length - 1] = last;
    else runs.push(first, last);
  }

  has(cpu: number, seq: number): boolean {
    const runs = this.#runs[cpu];
    if (runs === undefined || runs.length === 0) return false;
    let low = 0;
    let high = runs.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((runs[2 * middle + 1] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low < runs.length / 2 && (runs[2 * low] ?? 0) <= seq;
  }

  toJSON(): readonly (readonly number[])[] {
    return this.#runs;
  }

  #of(cpu: number): number[] {
    while (this.#runs.length <= cpu) this.#runs.push([]);
    return this.#runs[cpu] ?? [];
  }
}
