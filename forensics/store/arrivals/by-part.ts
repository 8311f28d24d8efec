import type { NodeFacts } from '../../completeness/node.ts';
import { type Cpu, emptyCpu, isOfTime, numbersOf } from '../../completeness/numbers.ts';
import { merged } from '../../ranges.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { hookKey, hooksOf, reportedOn, seenOn } from './arrivals.ts';
import { cpuKey, hoursOf, type Place } from './place.ts';
import { receivedIn, totalsIn } from './received.ts';

/** A time of whole hours, and the length of its parts, in nanoseconds. */
export interface Parts {
  readonly since: bigint;
  readonly until: bigint;
  readonly step: bigint;
}

/** The first and the last number of a CPU in each part of a time; undefined: none arrived in it. */
type Ends = readonly ({ readonly first: number; readonly last: number } | undefined)[];

/**
 * Returns what the numbers of nodes say about each part of a time; undefined: all nodes. The store is
 * asked about the whole time once.
 */
export async function factsByPart(
  store: Store,
  nodes: readonly string[] | undefined,
  parts: Parts,
): Promise<readonly (readonly NodeFacts[])[]> {
  const count = Number((parts.until - parts.since) / parts.step);
  if (nodes?.length === 0) return Array.from({ length: count }, () => []);
  const onNodes = nodes === undefined ? 'true' : `node IN (${nodes.map(literal).join(', ')})`;
  const [seen, unknown, hooks, cpus, ends] = await Promise.all([
    seenOn(store, onNodes, parts),
    unknownLosses(store, onNodes, parts),
    hooksOf(store, onNodes),
    cpusOn(store, onNodes, parts),
    endsOn(store, onNodes, parts, count),
  ]);
  return Array.from({ length: count }, (_, part) => {
    const since = parts.since + BigInt(part) * parts.step;
    const found = [...cpus].flatMap(([key, { known, ...place }]) => {
      const hook = hooks.get(known.hook);
      if (hook === undefined || !isOfTime(hook, { since, until: since + parts.step })) return [];
      const own = within(known, ends.get(key) ?? [], part);
      return [{ node: place.node, numbers: numbersOf(own, hook, place.cpu) }];
    });
    const byNode = Map.groupBy(found, ({ node }) => node);
    return seen.map((one) => ({
      ...one,
      unknownLosses: unknown.get(`${part} ${one.node}`) ?? 0,
      cpus: (byNode.get(one.node) ?? []).map(({ numbers }) => numbers),
    }));
  });
}

type KnownCpu = Place & { readonly known: Cpu };

/** Returns what has arrived and what was reported of each CPU, by cpuKey(). */
async function cpusOn(
  store: Store,
  onNodes: string,
  parts: Parts,
): Promise<ReadonlyMap<string, KnownCpu>> {
  const cpus = new Map<string, KnownCpu>();
  const cpuOf = (place: Place) => {
    const key = cpuKey(place);
    const known = cpus.get(key) ?? { ...place, known: emptyCpu(hookKey(place)) };
    cpus.set(key, known);
    return known.known;
  };
  const [reported, totals] = await Promise.all([
    reportedOn(store, onNodes, parts.since),
    totalsIn(store, onNodes, parts),
  ]);
  for (const { kind, first, last, ...place } of reported) cpuOf(place)[kind].push({ first, last });
  for await (const { place, received, before, behind } of receivedIn(store, parts, totals, cpus)) {
    const cpu = cpuOf(place);
    for (const range of merged(received)) cpu.received.push(range);
    cpu.before = before;
    cpu.behind = behind;
  }
  return cpus;
}

/** Returns the numbers of a CPU before and behind a part, which those of other parts are. */
function within(cpu: Cpu, ends: Ends, part: number): Cpu {
  const before = ends.slice(0, part).findLast((one) => one !== undefined)?.last;
  const behind = ends.slice(part + 1).find((one) => one !== undefined)?.first;
  return { ...cpu, before: before ?? cpu.before, behind: behind ?? cpu.behind };
}

async function endsOn(
  store: Store,
  onNodes: string,
  parts: Parts,
  count: number,
): Promise<ReadonlyMap<string, Ends>> {
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
  const ends = new Map<string, { first: number; last: number }[]>();
  for (const { own_cpu, part, low, high, ...place } of rows) {
    const key = cpuKey({ ...place, cpu: Number(own_cpu) });
    const known = ends.get(key) ?? new Array(count).fill(undefined);
    ends.set(key, known);
    known[Number(part)] = { first: Number(low), last: Number(high) };
  }
  return ends;
}

/** Returns how many losses of an unknown number a node has, by the number of the part and the name. */
async function unknownLosses(
  store: Store,
  onNodes: string,
  { since, until, step }: Parts,
): Promise<ReadonlyMap<string, number>> {
  const rows = await store.rows<{ part: string; node: string; losses: string }>(
    `SELECT toString(intDiv(timestamp - ${since}, ${step})) AS part, node,
       toString(uniqExact((id, content))) AS losses
     FROM ${tableOf(store, 'journal')}
     WHERE ${onNodes} AND action = 'journal.loss' AND loss_first_seq IS NULL
       AND timestamp >= ${since} AND timestamp < ${until}
     GROUP BY part, node`,
  );
  return new Map(rows.map(({ part, node, losses }) => [`${part} ${node}`, Number(losses)]));
}
