/**
 * Adds a value to a set. Beyond `max` values and a quarter more, the ones that were added first leave
 * it, many at once: a search for the first value passes all places of those that left before. Those
 * for which `stays` is true do not leave it; no more than `max` may be.
 */
export function addBounded<T>(
  set: Set<T>,
  value: T,
  max: number,
  stays: (value: T) => boolean = () => false,
): void {
  set.add(value);
  let excess = set.size - max;
  if (excess <= max / 4) return;
  for (const oldest of set) {
    if (stays(oldest)) continue;
    set.delete(oldest);
    excess -= 1;
    if (excess === 0) return;
  }
}
