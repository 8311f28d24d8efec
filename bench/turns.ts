/** Takes all measurements in each round, so that they can be compared; every other round begins with the last. */
export async function inTurns<Name extends string, T>(
  rounds: number,
  measurements: Readonly<Record<Name, () => Promise<T>>>,
): Promise<Record<Name, T>[]> {
  const all: Record<Name, T>[] = [];
  const inOrder = Object.entries(measurements) as [Name, () => Promise<T>][];
  for (let round = 1; round <= rounds; round++) {
    const found: [Name, T][] = [];
    for (const [name, measure] of round % 2 ? inOrder : inOrder.toReversed())
      found.push([name, await measure()]);
    all.push(Object.fromEntries(found) as Record<Name, T>);
  }
  return all;
}
