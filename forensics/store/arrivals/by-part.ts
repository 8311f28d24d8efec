import type { NodeFacts } from '../../completeness/node.ts';
import { isOfTime, numbersOf, type Stamped } from '../../completeness/numbers.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { cpusOn, hooksOf, seenOn } from './arrivals.ts';
import { deletedOn } from './deleted.ts';
import { countOf, cpuKey, hoursOf } from './place.ts';
import { unknownLossesOn } from './unknown-losses.ts';

/** A time of whole hours, and the length of its parts, in nanoseconds. */
export interface Parts {
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
  parts: Parts,
): Promise<readonly (readonly NodeFacts[])[]> {
  const count = countOf(parts);
  if (nodes?.length === 0) return Array.from({ length: count }, () => []);
  const onNodes = nodes === undefined ? 'true' : `node IN (${nodes.map(literal).join(', ')})`;
  const [seen, deleted, unknown, hooks, cpus] = await Promise.all([
    seenOn(store, onNodes),
    deletedOn(store, onNodes, parts),
    unknownLossesOn(store, onNodes, parts),
    hooksOf(store, onNodes),
    cpusOn(store, onNodes, parts, endsOn(store, onNodes, parts)),
  ]);
  return Array.from({ length: count }, (_, part) => {
    const since = parts.since + BigInt(part) * parts.step;
    const found = [...cpus.values()].flatMap(({ known, ...place }) => {
      const hook = hooks.get(known.hook);
      if (hook === undefined || !isOfTime(hook, { since, until: since + parts.step })) return [];
      return [{ node: place.node, numbers: numbersOf(known, hook, place.cpu, part) }];
    });
    const byNode = Map.groupBy(found, ({ node }) => node);
    return seen.map((one) => ({
      ...one,
      deleted: deleted.get(`${part} ${one.node}`) ?? 0,
      unknownLosses: unknown.get(`${part} ${one.node}`) ?? 0,
      cpus: (byNode.get(one.node) ?? []).map(({ numbers }) => numbers),
    }));
  });
}

/** Returns the first and the last number of each CPU in each part. */
async function endsOn(
  store: Store,
  onNodes: string,
  parts: Parts,
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
     FROM ${tableOf(store, 'coverage')} AS c WHERE ${onNodes} AND ${hoursOf(parts).within}
     GROUP BY node, boot_id, hook_id, c.cpu, part`,
  );
  const ends = new Map<string, Stamped[]>();
  for (const { own_cpu, part, low, high, ...place } of rows) {
    const key = cpuKey({ ...place, cpu: Number(own_cpu) });
    const known = ends.get(key) ?? [];
    ends.set(key, known);
    known.push({ first: Number(low), last: Number(high), part: Number(part) });
  }
  return ends;
}
