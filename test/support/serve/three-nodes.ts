import { type Draft, exec, HOOK, lines, loss, start, stop } from '../../check/craft.ts';

const SECOND = 1_000_000_000;
const HOUR = 3600 * SECOND;

/**
 * The journals of three nodes over five hours: one is complete, one lost records and was stopped, and one
 * has a hole and is silent for a while.
 */
export function threeNodes(): Readonly<Record<string, readonly string[]>> {
  const begin = Number(BigInt(HOUR) - (HOOK % BigInt(HOUR)));
  const journalOf = (
    n: number,
    times: readonly (readonly [seq: number, at: number])[],
    ...more: readonly Draft[]
  ) => {
    const records = [
      start([1], 'attached', begin + n),
      ...times.map(([seq, at]) => exec(begin + n * 1000 + at, n * 1000 + seq, 0, seq)),
      ...more,
    ];
    for (const record of records) record.resource['host.name'] = `node-${n}`;
    // Of format 1, a store cannot know whether rules withheld what is missing.
    return lines(records).map((line) =>
      line.replace('"vcml.format.version":"1"', '"vcml.format.version":2'),
    );
  };
  const lost = loss(begin + 2000 + 4 * SECOND - 1, 1, 0, 3, 4);
  return {
    'node-1': journalOf(
      1,
      [1, 2, 3, 4, 5].map((n) => [n, (n - 1) * HOUR + SECOND]),
    ),
    'node-2': journalOf(
      2,
      [
        [1, SECOND],
        [2, 2 * SECOND],
        [5, 4 * SECOND],
      ],
      lost,
      stop(begin + 2000 + 5 * SECOND, 2, 3, 0, 1),
    ),
    'node-3': journalOf(3, [
      [1, SECOND],
      [2, HOUR + SECOND],
      [4, HOUR + 2 * SECOND],
      [5, 4 * HOUR + SECOND],
    ]),
  };
}
