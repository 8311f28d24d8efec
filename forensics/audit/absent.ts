/** A contiguous range of numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** How many numbers are in some of the ranges, and in none of the others. */
export function countBeyond(ranges: readonly Range[], others: readonly Range[]): number {
  const present = merged(others);
  let count = 0;
  for (const { first, last } of merged(ranges)) {
    count += last - first + 1;
    for (const one of present)
      count -= Math.max(0, Math.min(last, one.last) - Math.max(first, one.first) + 1);
  }
  return count;
}

/** Returns the same numbers in ranges that do not overlap. */
function merged(ranges: readonly Range[]): Range[] {
  const all: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = all.at(-1);
    if (last < first) continue;
    if (before !== undefined && first <= before.last) before.last = Math.max(before.last, last);
    else all.push({ first, last });
  }
  return all;
}
