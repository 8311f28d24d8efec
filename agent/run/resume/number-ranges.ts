/** The first and the last of numbers that follow each other. */
export type NumberRange = readonly [first: number, last: number];

/** Ranges of the numbers of each CPU, ascending. */
export class NumberRanges {
  readonly #cpus: [first: number, last: number][][] = [];

  /** Adds a range; one that does not follow all earlier ones of its CPU is damage, and is left out. */
  add(cpu: number, first: number, last: number): void {
    while (this.#cpus.length <= cpu) this.#cpus.push([]);
    const ranges = this.#cpus[cpu] ?? [];
    const newest = ranges.at(-1);
    if (last < first || (newest !== undefined && first <= newest[1])) return;
    if (newest?.[1] === first - 1) newest[1] = last;
    else ranges.push([first, last]);
  }

  /** Adds the ranges of later lines. */
  append(later: NumberRanges): void {
    for (const [cpu, ranges] of later.#cpus.entries())
      for (const [first, last] of ranges) this.add(cpu, first, last);
  }

  /** Returns what of first..last is in none of the ranges. */
  missing(cpu: number, [first, last]: NumberRange): NumberRange[] {
    const missing: NumberRange[] = [];
    let next = first;
    for (const [from, to] of this.#cpus[cpu] ?? []) {
      if (to < next) continue;
      if (from > last) break;
      if (from > next) missing.push([next, from - 1]);
      next = to + 1;
    }
    if (next <= last) missing.push([next, last]);
    return missing;
  }
}
