/**
 * The ranges of one hook's numbers that are known to be lost, by CPU. Adjacent ones are one. Some are lost
 * in part, and nobody knows which of their numbers are: they were joined because there were too many, or
 * what said so is gone.
 */
export class Losses {
  /** By CPU: first, last, first, last, …; ascending, with a gap between two ranges. */
  readonly #ranges: number[][];
  /** By CPU: the first numbers of those that are lost in part. */
  readonly #partly: Set<number>[];

  constructor(
    ranges: readonly (readonly number[])[] = [],
    partly: readonly (readonly number[])[] = [],
  ) {
    this.#ranges = ranges.map((ofCpu) => [...ofCpu]);
    this.#partly = ranges.map((_, cpu) => new Set(partly[cpu]));
  }

  /** Adds the range first..last, which must follow all earlier ones of this CPU. */
  add(cpu: number, first: number, last: number): void {
    const ranges = this.#of(cpu);
    const isNext = ranges.at(-1) === first - 1 && !this.#isPartly(cpu, ranges.at(-2));
    if (isNext) ranges[ranges.length - 1] = last;
    else ranges.push(first, last);
  }

  /** Adds a range, with no number in another one. Nobody knows whether it is lost. */
  doubt(cpu: number, first: number, last: number): void {
    const ranges = this.#of(cpu);
    const at = ranges.findIndex((seq) => seq > last);
    ranges.splice(at < 0 ? ranges.length : at, 0, first, last);
    this.#partly[cpu]?.add(first);
  }

  /** Whether a number is lost; undefined: nobody knows any more. */
  has(cpu: number, seq: number): boolean | undefined {
    const range = this.#find(cpu, seq);
    if (range === undefined) return false;
    return this.#isPartly(cpu, this.#ranges[cpu]?.[2 * range]) ? undefined : true;
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
      const kept = ranges.filter((_, n) => isKept(n >> 1));
      this.#set(cpu, kept, (first) => this.#isPartly(cpu, first));
    }
  }

  /**
   * Joins neighbors until there are at most `max` ranges, or one for each CPU: first those with the fewest
   * numbers between them, of equal ones the oldest.
   */
  shorten(max: number): void {
    const between = this.#ranges.flatMap((ranges) => ranges.flatMap((_, n) => distance(ranges, n)));
    const surplus = this.count - max;
    if (surplus <= 0) return;
    const widest = between.sort((a, b) => a - b)[surplus - 1] ?? Number.POSITIVE_INFINITY;
    let equals = surplus - between.filter((width) => width < widest).length;
    for (const [cpu, ranges] of this.#ranges.entries()) {
      const joined: number[] = [];
      const partly = new Set<number>();
      for (let n = 0; n < ranges.length; n += 2) {
        const [first = 0, last = 0] = [ranges[n], ranges[n + 1]];
        const [gap] = distance(ranges, n);
        const isJoined = gap !== undefined && (gap < widest || (gap === widest && equals > 0));
        if (isJoined && gap === widest) equals -= 1;
        if (isJoined) {
          joined[joined.length - 1] = last;
          partly.add(joined.at(-2) ?? first);
        } else {
          joined.push(first, last);
          if (this.#isPartly(cpu, first)) partly.add(first);
        }
      }
      this.#set(cpu, joined, (first) => partly.has(first));
    }
  }

  toJSON(): readonly (readonly number[])[] {
    return this.#ranges;
  }

  /** By CPU: the first numbers of the ranges that are lost in part. */
  get partly(): readonly (readonly number[])[] {
    return this.#partly.map((firsts) => [...firsts]);
  }

  #set(cpu: number, ranges: number[], isPartly: (first: number) => boolean): void {
    this.#partly[cpu] = new Set(ranges.filter((first, n) => n % 2 === 0 && isPartly(first)));
    this.#ranges[cpu] = ranges;
  }

  #isPartly(cpu: number, first: number | undefined): boolean {
    return first !== undefined && this.#partly[cpu]?.has(first) === true;
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
    while (this.#ranges.length <= cpu) {
      this.#ranges.push([]);
      this.#partly.push(new Set());
    }
    return this.#ranges[cpu] ?? [];
  }
}

/** Returns how far the range that begins at this index is behind the one before; none: it is no such range. */
function distance(ranges: readonly number[], index: number): number[] {
  if (index === 0 || index % 2 === 1) return [];
  return [(ranges[index] ?? 0) - (ranges[index - 1] ?? 0)];
}
