/** A round of two measurements that are compared. */
export interface Turns<T> {
  readonly inside: T;
  readonly outside: T;
}

/** Measures both in each round; every other round begins with the second. */
export async function inTurns<T>(
  rounds: number,
  inside: () => Promise<T>,
  outside: () => Promise<T>,
): Promise<Turns<T>[]> {
  const all: Turns<T>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const first = await (round % 2 ? inside : outside)();
    const second = await (round % 2 ? outside : inside)();
    all.push(round % 2 ? { inside: first, outside: second } : { inside: second, outside: first });
  }
  return all;
}
