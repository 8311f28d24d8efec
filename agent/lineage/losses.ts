/** The ranges of one hook's numbers that are known to be lost, by CPU. */
export class Losses {
  /** By CPU: first, last, first, last, …; ascending, with a gap between two ranges. */
  readonly #ranges: number[][];

  constructor(ranges: readonly (readonly number[])[] = []) {
    this.#ranges = ranges.map((ofCpu) => [...ofCpu]);
  }

  /** Adds the range first..last, which must follow all earlier ones of this CPU. */
  add(cpu: number, first: number, last: number): void {
    const ranges = this.#of(cpu);
    if (ranges.at(-1) === first - 1) ranges[ranges.length - 1] = last;
    else ranges.push(first, last);
  }

  has(cpu: number, seq: number): boolean {
    const ranges = this.#ranges[cpu];
    if (ranges === undefined || ranges.length === 0) return false;
    let low = 0;
    let high = ranges.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[2 * middle + 1] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low < ranges.length / 2 && (ranges[2 * low] ?? 0) <= seq;
  }

  toJSON(): readonly (readonly number[])[] {
    return this.#ranges;
  }

  #of(cpu: number): number[] {
    while (this.#ranges.length <= cpu) this.#ranges.push([]);
    return this.#ranges[cpu] ?? [];
  }
}
