import type { Cpu } from '../../completeness/numbers.ts';
import { beyond, merged, type Range } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { cpuKey, hoursOf, type Place, possibleOf } from './place.ts';

/** So many CPUs are named in one query. */
const CPUS_AT_ONCE = 200;
/** The numbers of an hour with holes are listed if there are no more than this. */
export const LISTED_MAX = 5_000_000;

/** The numbers of a CPU that have arrived within the hours of a time. */
interface Received {
  readonly place: Place;
  readonly received: readonly Range[];
}

/** The numbers of an hour, or of several ones. */
interface Span extends Range {
  readonly place: Place;
  readonly count: number;
}

/** What has arrived of a CPU. */
export interface CpuRow {
  readonly node: string;
  readonly boot: string;
  readonly hook: string;
  readonly own_cpu: string;
  readonly arrived: string;
  readonly low: string;
  readonly high: string;
}

/** What has arrived of a CPU within the hours of a time, and beside them; the times are those of all of it. */
export type CpuTotals = CpuRow &
  Readonly<Record<'before' | 'behind', readonly [low: string, high: string]>> &
  Readonly<Record<'earliest' | 'latest', string>> & { readonly possible: string | null };

/** Counts what has arrived of each CPU. */
export function totalsIn(store: Store, onNodes: string, times: TimeRange): Promise<CpuTotals[]> {
  const { within, before, behind } = hoursOf(times);
  return store.rows<CpuTotals>(
    `SELECT ${CPU}, toString(groupBitmapMergeIf(seqs, ${within})) AS arrived,
       toString(minIf(c.first, ${within})) AS low, toString(maxIf(c.last, ${within})) AS high,
       [toString(minIf(c.first, ${before})), toString(maxIf(c.last, ${before}))] AS before,
       [toString(minIf(c.first, ${behind})), toString(maxIf(c.last, ${behind}))] AS behind,
       toString(min(first_time)) AS earliest, toString(max(last_time)) AS latest,
       ${possibleOf('last_time')}
     FROM ${tableOf(store, 'coverage')} AS c WHERE ${onNodes}
     GROUP BY node, boot_id, hook_id, c.cpu ORDER BY node, boot_id, hook_id, c.cpu`,
  );
}

/**
 * Yields which numbers of each CPU have arrived. Of most CPUs, the first, the last and the count say it;
 * only of hours with holes are the numbers read.
 */
export async function* receivedIn(
  store: Store,
  times: TimeRange,
  totals: readonly CpuTotals[],
  reported: ReadonlyMap<string, { readonly known: Cpu }>,
): AsyncGenerator<Received> {
  const withHoles: Span[] = [];
  const all = totals.map((row) => {
    const span = spanOf(row);
    const isWhole = span.count === span.last - span.first + 1;
    if (!isWhole && span.count > 0) withHoles.push(span);
    return { span, isWhole };
  });
  const ranges = await rangesOf(store, hoursOf(times).within, withHoles, reported);
  for (const { span, isWhole } of all)
    yield {
      place: span.place,
      received: isWhole ? [span] : (ranges.get(cpuKey(span.place)) ?? []),
    };
}

/** Returns the numbers that arrived, of CPUs with holes. */
async function rangesOf(
  store: Store,
  within: string,
  cpus: readonly Span[],
  reported: ReadonlyMap<string, { readonly known: Cpu }>,
): Promise<Map<string, Range[]>> {
  const ranges = new Map<string, Range[]>();
  const add = (place: Place, more: readonly Range[]) =>
    ranges.set(cpuKey(place), [...(ranges.get(cpuKey(place)) ?? []), ...more]);
  for (let at = 0; at < cpus.length; at += CPUS_AT_ONCE) {
    const some = cpus.slice(at, at + CPUS_AT_ONCE).map(({ place }) => tupleOf(place));
    const isAsked = `${within} AND (node, toString(boot_id), hook_id, cpu) IN (${some.join(', ')})`;
    const hours = await store.rows<CpuRow & { begin: string }>(
      `SELECT ${CPU}, toString(toUnixTimestamp(hour)) AS begin, toString(groupBitmapMerge(seqs)) AS arrived,
         toString(min(c.first)) AS low, toString(max(c.last)) AS high
       FROM ${tableOf(store, 'coverage')} AS c WHERE ${isAsked}
       GROUP BY node, boot_id, hook_id, c.cpu, hour`,
    );
    for (const row of hours) {
      const span = spanOf(row);
      const { place, count, first, last } = span;
      if (count === last - first + 1) add(place, [span]);
      else if (count > LISTED_MAX) add(place, guessed(span, reported.get(cpuKey(place))?.known));
      else add(place, await runsIn(store, place, row.begin));
    }
  }
  return ranges;
}

/** Returns the ranges of numbers that have arrived in an hour. */
async function runsIn(store: Store, place: Place, hour: string): Promise<Range[]> {
  const rows = await store.rows<{ low: string; high: string }>(
    `SELECT toString(min(number)) AS low, toString(max(number)) AS high
     FROM (SELECT number, toInt64(number) - row_number() OVER (ORDER BY number) AS part
       FROM (SELECT arrayJoin(bitmapToArray(groupBitmapMergeState(seqs))) AS number
         FROM ${tableOf(store, 'coverage')}
         WHERE toUnixTimestamp(hour) = ${hour}
           AND (node, toString(boot_id), hook_id, cpu) = ${tupleOf(place)}))
     GROUP BY part ORDER BY min(number)`,
  );
  return rows.map(({ low, high }) => ({ first: Number(low), last: Number(high) }));
}

/**
 * Returns ranges with as many numbers as have arrived: what was reported explains holes first, and what
 * it does not explain is missing at the beginning.
 */
function guessed(span: Span, cpu: Cpu | undefined): Range[] {
  const reported = merged([...(cpu?.lost ?? []), ...(cpu?.withheld ?? [])]);
  const ranges = beyond([span], reported);
  let unexplained = ranges.reduce((sum, { first, last }) => sum + last - first + 1, -span.count);
  return ranges.flatMap(({ first, last }) => {
    const dropped = Math.min(Math.max(0, unexplained), last - first + 1);
    unexplained -= dropped;
    return first + dropped > last ? [] : [{ first: first + dropped, last }];
  });
}

/** The columns of CpuRow that name a CPU. */
export const CPU = 'node, toString(boot_id) AS boot, hook_id AS hook, toString(c.cpu) AS own_cpu';

/** Returns the CPU that a row is about. */
export function placeOf({
  node,
  boot,
  hook,
  own_cpu,
}: Pick<CpuRow, 'node' | 'boot' | 'hook' | 'own_cpu'>): Place {
  return { node, boot, hook, cpu: Number(own_cpu) };
}

/** Returns the numbers of a row, and how many of them have arrived. */
export function spanOf({ arrived, low, high, ...row }: CpuRow): Span {
  return { place: placeOf(row), count: Number(arrived), first: Number(low), last: Number(high) };
}

/** Returns a CPU as a value in SQL, for `(node, toString(boot_id), hook_id, cpu)`. */
export function tupleOf({ node, boot, hook, cpu }: Place): string {
  return `(${literal(node)}, ${literal(boot)}, ${literal(hook)}, ${cpu})`;
}
