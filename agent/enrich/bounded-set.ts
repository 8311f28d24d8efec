/** Adds a value to a set; beyond `max` values, the ones that were added first leave it. */
export function addBounded<T>(set: Set<T>, value: T, max: number): void {
  set.add(value);
  for (const oldest of set) {
    if (set.size <= max) break;
    set.delete(oldest);
  }
}
