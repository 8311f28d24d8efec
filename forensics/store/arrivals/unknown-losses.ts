import { bootKey, type unhookedIn } from './hooks.ts';
import { countOf, type Parts } from './place.ts';
import type { UnknownLoss } from './reports.ts';

/**
 * Returns how many losses of an unknown number nodes have, by the number of the part of the time and the
 * name. What was lost at the end of a boot may be of any time from its last record to the report; `ends` has
 * that of each boot, by bootKey(). Nobody knows what was executed while no hook was there.
 */
export function unknownLossesIn(
  losses: readonly UnknownLoss[],
  ends: ReadonlyMap<string, bigint>,
  unhooked: ReturnType<typeof unhookedIn>,
  parts: Parts,
): ReadonlyMap<string, number> {
  const { since, until, step = 0n } = parts;
  const counts = new Map<string, number>();
  const spans = losses.map(({ node, at, boot }) => {
    const times = [at, ends.get(bootKey({ node, boot })) ?? at];
    const [from = 0n, to = 0n] = times.sort((one, other) => (one < other ? -1 : 1));
    return { node, from, to };
  });
  for (const { node, from, to } of [...spans, ...unhooked]) {
    for (let part = 0; part < countOf(parts); part += 1) {
      const begin = since === undefined ? undefined : since + BigInt(part) * step;
      const end = step === 0n || begin === undefined ? until : begin + step;
      if (begin !== undefined && to !== undefined && to < begin) break;
      if (end !== undefined && from >= end) continue;
      counts.set(`${part} ${node}`, (counts.get(`${part} ${node}`) ?? 0) + 1);
    }
  }
  return counts;
}
