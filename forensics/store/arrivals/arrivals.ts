import type { CpuNumbers, NodeFacts } from '../../completeness/node.ts';
import { type Cpu, emptyCpu, type Hook, isOfTime, numbersOf } from '../../completeness/numbers.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { cpuKey, type Place } from './place.ts';
import { receivedIn, totalsIn } from './received.ts';

const HOUR_NS = 3_600_000_000_000n;
/** How far a clock may have been set back. */
const MARGIN_NS = 24n * HOUR_NS;

/** The numbers of one CPU under one hook. */
export interface CpuArrivals extends Place {
  readonly numbers: CpuNumbers;
}

/** What has arrived from nodes, and what they have reported. */
export interface Arrivals {
  readonly nodes: readonly NodeFacts[];
  readonly cpus: readonly CpuArrivals[];
}

/** Numbers that a record about the journal names. */
interface Reported extends Place {
  readonly kind: 'lost' | 'withheld';
  readonly first: number;
  readonly last: number;
}

/** Reads what the numbers of nodes say about the hours of a time; undefined: all nodes. */
export async function arrivalsOf(
  store: Store,
  nodes: readonly string[] | undefined,
  times: TimeRange,
): Promise<Arrivals> {
  const onNodes = nodes === undefined ? 'true' : `node IN (${nodes.map(literal).join(', ')})`;
  if (nodes?.length === 0) return { nodes: [], cpus: [] };
  const { since, until } = times;
  const hours = { since: since && since - (since % HOUR_NS), until };
  const [seen, hooks, reported, totals] = await Promise.all([
    seenOn(store, onNodes, times),
    hooksOf(store, onNodes),
    reportedOn(store, onNodes, since),
    totalsIn(store, onNodes, times),
  ]);
  const cpus = new Map<string, Place & { readonly known: Cpu }>();
  const cpuOf = (place: Place) => {
    const key = cpuKey(place);
    const known = cpus.get(key) ?? { ...place, known: emptyCpu(hookKey(place)) };
    cpus.set(key, known);
    return known.known;
  };
  for (const { kind, first, last, ...place } of reported) cpuOf(place)[kind].push({ first, last });
  for await (const { place, received, before, behind } of receivedIn(store, times, totals, cpus)) {
    const cpu = cpuOf(place);
    for (const range of received) cpu.received.push(range);
    cpu.before = before;
    cpu.behind = behind;
  }
  const found = [...cpus.values()].flatMap(({ known, ...place }): CpuArrivals[] => {
    const hook = hooks.get(known.hook);
    if (hook === undefined || !isOfTime(hook, hours)) return [];
    return [{ ...place, numbers: numbersOf(known, hook, place.cpu) }];
  });
  const byNode = Map.groupBy(found, ({ node }) => node);
  return {
    cpus: found,
    nodes: seen.map((one) => ({
      ...one,
      cpus: (byNode.get(one.node) ?? []).map(({ numbers }) => numbers),
    })),
  };
}

/** Returns the first and the last record of each node, and its losses of an unknown number. */
export async function seenOn(
  store: Store,
  onNodes: string,
  { since, until }: TimeRange,
): Promise<Omit<NodeFacts, 'cpus'>[]> {
  const isAsked = [
    ...(since === undefined ? [] : [`timestamp >= ${since}`]),
    ...(until === undefined ? [] : [`timestamp < ${until}`]),
  ];
  const isUnknown = ["action = 'journal.loss'", 'loss_first_seq IS NULL', ...isAsked].join(' AND ');
  const rows = await store.rows<{ node: string; first: string; last: string; losses: string }>(
    `SELECT node, toString(min(earliest)) AS first, toString(max(latest)) AS last,
       toString(sum(unknown)) AS losses
     FROM (
       SELECT node, min(first_time) AS earliest, max(last_time) AS latest, 0 AS unknown
       FROM ${tableOf(store, 'coverage')} WHERE ${onNodes} GROUP BY node
       UNION ALL
       SELECT node, min(timestamp) AS earliest, max(timestamp) AS latest,
         uniqExactIf((id, content), ${isUnknown}) AS unknown
       FROM ${tableOf(store, 'journal')} WHERE ${onNodes} GROUP BY node)
     GROUP BY node ORDER BY node`,
  );
  return rows.map(({ node, first, last, losses }) => ({
    node,
    first: BigInt(first),
    last: BigInt(last),
    unknownLosses: Number(losses),
  }));
}

/** Returns the hooks of nodes, by hookKey(). */
export async function hooksOf(store: Store, onNodes: string): Promise<Map<string, Hook>> {
  const arriving = store.rows<{
    node: string;
    boot: string;
    hook: string;
    first: string;
    last: string;
  }>(
    `SELECT node, toString(boot_id) AS boot, hook_id AS hook, toString(min(first_time)) AS first,
       toString(max(last_time)) AS last
     FROM ${tableOf(store, 'coverage')} WHERE ${onNodes} GROUP BY node, boot_id, hook_id`,
  );
  const starting = store.rows<{
    node: string;
    boot: string;
    hook: string;
    next: string[];
    format: string | null;
  }>(
    `SELECT node, toString(boot_id) AS boot, coalesce(hook_id, '') AS hook,
       CAST(argMin(hook_next_seq, timestamp), 'Array(String)') AS next,
       toString(min(format_version)) AS format
     FROM ${tableOf(store, 'journal')} WHERE ${onNodes} AND action = 'journal.start'
     GROUP BY node, boot_id, hook_id`,
  );
  const [rows, starts] = await Promise.all([arriving, starting]);
  const byKey = new Map(starts.map((start) => [hookKey(start), start]));
  return new Map(
    rows.map((row) => {
      const start = byKey.get(hookKey(row));
      const hook: Hook = {
        node: row.node,
        first: BigInt(row.first),
        last: BigInt(row.last),
        nextSeq: start?.next.map(Number),
        isUntold: start !== undefined && Number(start.format) < 2,
      };
      return [hookKey(row), hook];
    }),
  );
}

/**
 * Returns what the agents of nodes have reported as lost or withheld. That is done after it happened, but
 * for a clock that was set.
 */
export async function reportedOn(
  store: Store,
  onNodes: string,
  since: bigint | undefined,
): Promise<Reported[]> {
  const isAsked =
    since === undefined ? onNodes : `${onNodes} AND timestamp >= ${since - MARGIN_NS}`;
  const journal = tableOf(store, 'journal');
  const rows = await store.rows<
    Omit<Reported, 'cpu' | 'first' | 'last'> & { cpu: string; first: string; last: string }
  >(
    `SELECT DISTINCT node, toString(boot_id) AS boot, loss_hook_id AS hook, toString(loss_cpu) AS cpu,
       'lost' AS kind, toString(loss_first_seq) AS first, toString(loss_last_seq) AS last
     FROM ${journal} WHERE ${isAsked} AND action = 'journal.loss' AND loss_first_seq IS NOT NULL
     UNION ALL
     SELECT DISTINCT node, toString(boot_id) AS boot, withheld_hook_id AS hook,
       toString(withheld_cpu) AS cpu, 'withheld' AS kind, splitByChar('-', range)[1] AS first,
       splitByChar('-', range)[2] AS last
     FROM ${journal} ARRAY JOIN withheld_ranges AS range
     WHERE ${isAsked} AND action = 'journal.withheld'`,
  );
  return rows
    .map((row) => ({
      ...row,
      cpu: Number(row.cpu),
      first: Number(row.first),
      last: Number(row.last),
    }))
    .filter(({ first, last }) => Number.isSafeInteger(first) && Number.isSafeInteger(last));
}

/** A name of a hook for maps. */
export function hookKey({ node, boot, hook }: Omit<Place, 'cpu'>): string {
  return JSON.stringify([node, boot, hook]);
}
