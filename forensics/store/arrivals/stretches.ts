import type { Cpu, Stamped } from '../../completeness/numbers.ts';
import { inParts } from '../answer/fetch.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { cpuKey, type Parts, type Place, partOf } from './place.ts';
import { CPU, type CpuRow, type CpuTotals, LISTED_MAX, spanOf, tupleOf } from './received.ts';

/** So many CPUs, or hours of them, are named in one query. */
const NAMED = 200;
const NANOSECONDS = 1_000_000_000n;

/** A CPU, what was reported about it, and its numbers in each part of a time. */
export interface Coarse {
  readonly place: Place;
  readonly known: Cpu;
  readonly stretches: readonly Stamped[];
}

/** The numbers of an hour. */
interface Hour extends Stamped {
  readonly place: Place;
  readonly begin: string;
  readonly count: number;
}

/** Returns the numbers before a time, in it and behind it; `parts` replaces those in it. */
export function coarseOf(
  { before, behind, low, high, arrived }: CpuTotals,
  count: number,
  parts: readonly Stamped[] = [{ first: Number(low), last: Number(high), part: 0 }],
): readonly Stamped[] {
  return [
    { first: Number(before[0]), last: Number(before[1]), part: -1 },
    ...(arrived === '0' ? [] : parts),
    { first: Number(behind[0]), last: Number(behind[1]), part: count },
  ].filter(({ last }) => last > 0);
}

/**
 * Adds to each CPU where its numbers are in time. A clock may be set back: of CPUs whose numbers of one
 * part are among those of another one, the hours are read, and the numbers of hours that are mixed.
 */
export async function addStretches(
  store: Store,
  cpus: readonly Coarse[],
  parts: Parts,
): Promise<void> {
  const mixed = new Map<string, Coarse>();
  for (const one of cpus) {
    if (mixedIn(one, one.stretches).size === 0)
      for (const stretch of one.stretches) one.known.stretches.push(stretch);
    else mixed.set(cpuKey(one.place), one);
  }
  const refined: Hour[] = [];
  for (const some of inParts([...mixed.values()], NAMED)) {
    const byCpu = Map.groupBy(await hoursOf(store, some, parts), ({ place }) => cpuKey(place));
    for (const [key, hours] of byCpu) {
      const one = mixed.get(key);
      if (one === undefined) continue;
      const unclear = mixedIn(one, hours);
      for (const hour of hours)
        if (unclear.has(hour) && hour.count <= LISTED_MAX) refined.push(hour);
        else one.known.stretches.push(hour);
    }
  }
  for (const some of inParts(refined, NAMED))
    for (const { place, ...run } of await runsIn(store, some, parts))
      mixed.get(cpuKey(place))?.known.stretches.push(run);
}

/** Returns those among which there are numbers of another part. */
function mixedIn<One extends Stamped>({ known }: Coarse, stretches: readonly One[]): Set<One> {
  const mixed = new Set<One>();
  const stamped = known.withheld.flatMap(({ last, part, isLast }): Stamped[] =>
    isLast ? [{ first: last, last, part }] : [],
  );
  const all = [
    ...stretches.map((one) => ({ ...one, one })),
    ...stamped.map((range) => ({ ...range, one: undefined })),
  ].sort((a, b) => a.first - b.first || b.last - a.last);
  let open: typeof all = [];
  for (const next of all) {
    open = open.filter(({ last }) => last >= next.first);
    for (const before of open.filter(({ part }) => part !== next.part))
      for (const { one } of [before, next]) if (one !== undefined) mixed.add(one);
    open.push(next);
  }
  return mixed;
}

async function hoursOf(store: Store, cpus: readonly Coarse[], parts: Parts): Promise<Hour[]> {
  const names = cpus.map(({ place }) => tupleOf(place));
  const rows = await store.rows<CpuRow & { begin: string }>(
    `SELECT ${CPU}, toString(toUnixTimestamp(hour)) AS begin,
       toString(groupBitmapMerge(seqs)) AS arrived, toString(min(c.first)) AS low,
       toString(max(c.last)) AS high
     FROM ${tableOf(store, 'coverage')} AS c
     WHERE (node, toString(boot_id), hook_id, cpu) IN (${names.join(', ')})
     GROUP BY node, boot_id, hook_id, c.cpu, hour`,
  );
  return rows.map((row) => ({ ...spanOf(row), begin: row.begin, part: partIn(row.begin, parts) }));
}

/** Returns the numbers of hours in ranges without a hole. */
async function runsIn(
  store: Store,
  hours: readonly Hour[],
  parts: Parts,
): Promise<(Stamped & { readonly place: Place })[]> {
  const names = hours.map(({ place, begin }) => tupleOf(place).replace(/\)$/, `, ${begin})`));
  const rows = await store.rows<CpuRow & { begin: string }>(
    `SELECT node, boot, hook, own_cpu, toString(begin) AS begin, toString(count()) AS arrived,
       toString(min(number)) AS low, toString(max(number)) AS high
     FROM (SELECT *, toInt64(number) - row_number() OVER (PARTITION BY node, boot, hook, own_cpu, begin
         ORDER BY number) AS island
       FROM (SELECT ${CPU}, toUnixTimestamp(hour) AS begin,
           arrayJoin(bitmapToArray(groupBitmapMergeState(seqs))) AS number
         FROM ${tableOf(store, 'coverage')} AS c
         WHERE (node, toString(boot_id), hook_id, cpu, toUnixTimestamp(hour)) IN (${names.join(', ')})
         GROUP BY node, boot_id, hook_id, c.cpu, hour))
     GROUP BY node, boot, hook, own_cpu, begin, island`,
  );
  return rows.map((row) => {
    const { first, last, place } = spanOf(row);
    return { first, last, place, part: partIn(row.begin, parts) };
  });
}

function partIn(begin: string, parts: Parts): number {
  return partOf(BigInt(begin) * NANOSECONDS, parts);
}
