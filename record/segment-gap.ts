/** A folder in which a segment seems to be missing is listed so often. */
export const LISTS_MAX = 3;

/**
 * Whether ascending numbers of segments have a gap. Only the oldest segments are deleted, so that a gap
 * mostly means that the folder was listed while a segment got its other name: then it can be listed
 * under neither.
 */
export function hasGap(numbers: readonly number[]): boolean {
  return numbers.some((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
}
