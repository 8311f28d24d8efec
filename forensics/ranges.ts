/** A contiguous range of numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** How many numbers are in some of the ranges, and in none of the others. */
export function countBeyond(ranges: readonly Range[], others: readonly Range[]): number {
  return beyond(merged(ranges), merged(others)).reduce(
    (sum, { first, last }) => sum + last - first + 1,
    0,
  );
}

/** Returns the numbers of some ranges that none of the others has; both are merged. */
export function beyond(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const left: Range[] = [];
  for (const { first, last } of ranges) {
    let from = first;
    for (let at = indexOf(others, first); from <= last; at += 1) {
      const other = others[at];
      const until = Math.min(last, (other?.first ?? Number.POSITIVE_INFINITY) - 1);
      if (until >= from) left.push({ first: from, last: until });
      from = Math.max(from, (other?.last ?? Number.POSITIVE_INFINITY) + 1);
    }
  }
  return left;
}

/** Whether a number is in a range and in one of the others, which are merged. */
export function overlaps({ first, last }: Range, others: readonly Range[]): boolean {
  const other = others[indexOf(others, first)];
  return other !== undefined && other.first <= last;
}

/** Returns the same numbers in ascending ranges that are apart from each other. */
export function merged(ranges: readonly Range[]): Range[] {
  const all: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = all.at(-1);
    if (last < first) continue;
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else all.push({ first, last });
  }
  return all;
}

/** The index of the first of merged ranges that does not end before a number. */
function indexOf(ranges: readonly Range[], number: number): number {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ranges[middle]?.last ?? 0) < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
