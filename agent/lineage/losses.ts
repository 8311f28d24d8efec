/** The ranges of one hook's numbers that are known to be lost, by CPU. Adjacent ones are one. */
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
    return this.#find(cpu, seq) !== undefined;
  }

  /** The number of ranges. */
  get count(): number {
    return this.#ranges.reduce((sum, ranges) => sum + ranges.length / 2, 0);
  }

  /**
   * Forgets the ranges that end below `before` of their CPU and have none of `causes`, which are
   * pairs of CPU and number, one after the other.
   */
  forget(before: readonly number[], causes: Float64Array): void {
    const needed = this.#ranges.map(() => new Set<number>());
    for (let n = 0; n < causes.length; n += 2) {
      const cpu = causes[n] ?? 0;
      const range = this.#find(cpu, causes[n + 1] ?? 0);
      if (range !== undefined) needed[cpu]?.add(range);
    }
    for (const [cpu, ranges] of this.#ranges.entries()) {
      const isKept = (range: number) =>
        needed[cpu]?.has(range) || (ranges[2 * range + 1] ?? 0) >= (before[cpu] ?? 0);
      this.#ranges[cpu] = ranges.filter((_, n) => isKept(n >> 1));
    }
  }

  toJSON(): readonly (readonly number[])[] {
    return this.#ranges;
  }

  /** Returns which range of a CPU has a number. */
  #find(cpu: number, seq: number): number | undefined {
    const ranges = this.#ranges[cpu];
    if (ranges === undefined) return undefined;
    let low = 0;
    let high = ranges.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[2 * middle + 1] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low < ranges.length / 2 && (ranges[2 * low] ?? 0) <= seq ? low : undefined;
  }

  #of(cpu: number): number[] {
    while (this.#ranges.length <= cpu) this.#ranges.push([]);
    return this.#ranges[cpu] ?? [];
  }
}
