import type { NodeFacts } from '../../completeness/node.ts';
import type { Stamped } from '../../completeness/numbers.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { arrivalsIn, knownOf, onNodes } from './arrivals.ts';
import { countOf, cpuKey, hoursOf, type Parts } from './place.ts';
import { placeOf } from './received.ts';

/** A time of whole hours, and the length of its parts, in nanoseconds. */
export interface EqualParts extends Parts {
  readonly since: bigint;
  readonly until: bigint;
  readonly step: bigint;
}

/**
 * Returns what the numbers of nodes say about each part of a time; undefined: all nodes. The store is
 * asked about the whole time once.
 */
export async function factsByPart(
  store: Store,
  nodes: readonly string[] | undefined,
  parts: EqualParts,
): Promise<readonly (readonly NodeFacts[])[]> {
  const count = countOf(parts);
  if (nodes?.length === 0) return Array.from({ length: count }, () => []);
  const onThese = onNodes(nodes);
  const known = await knownOf(store, onThese, parts, endsOn(store, onThese, parts));
  return Array.from({ length: count }, (_, part) => {
    const since = parts.since + BigInt(part) * parts.step;
    return arrivalsIn(known, { since, until: since + parts.step }, part).nodes;
  });
}

/** Returns the first and the last number of each CPU in each part. */
async function endsOn(
  store: Store,
  onThese: string,
  parts: EqualParts,
): Promise<ReadonlyMap<string, readonly Stamped[]>> {
  const rows = await store.rows<{
    node: string;
    boot: string;
    hook: string;
    own_cpu: string;
    part: string;
    low: string;
    high: string;
  }>(
    `SELECT node, toString(boot_id) AS boot, hook_id AS hook, toString(c.cpu) AS own_cpu,
       toString(intDiv(toInt64(toUnixTimestamp(hour)) * 1000000000 - ${parts.since}, ${parts.step})) AS part,
       toString(min(c.first)) AS low, toString(max(c.last)) AS high
     FROM ${tableOf(store, 'coverage')} AS c WHERE ${onThese} AND ${hoursOf(parts).within}
     GROUP BY node, boot_id, hook_id, c.cpu, part`,
  );
  const ends = new Map<string, Stamped[]>();
  for (const { part, low, high, ...row } of rows) {
    const key = cpuKey(placeOf(row));
    const known = ends.get(key) ?? [];
    ends.set(key, known);
    known.push({ first: Number(low), last: Number(high), part: Number(part) });
  }
  return ends;
}
