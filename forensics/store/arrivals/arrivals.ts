import { type CpuNumbers, latestAt, type NodeFacts } from '../../completeness/node.ts';
import {
  type Cpu,
  emptyCpu,
  type Hook,
  isOfTime,
  leastOf,
  numbersOf,
  type Stamped,
} from '../../completeness/numbers.ts';
import { merged } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import { HOUR_NS } from '../../select/time.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { deletedOn } from './deleted.ts';
import { countOf, cpuKey, type Parts, type Place, partOf } from './place.ts';
import { type CpuTotals, placeOf, receivedIn, totalsIn } from './received.ts';
import { addStretches, coarseOf } from './stretches.ts';
import { unknownLossesOn } from './unknown-losses.ts';

/** Reports of nodes whose clock was never set by more are not earlier than their numbers by more. */
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
interface Reported extends Stamped, Place {
  readonly kind: 'lost' | 'deleted' | 'withheld';
  /** The report has no higher ones. */
  readonly isLast: boolean;
}

/** A CPU, and what is known of it. */
type KnownCpu = Place & { readonly known: Cpu };

/** Reads what the numbers of nodes say about the hours of a time; undefined: all nodes. */
export async function arrivalsOf(
  store: Store,
  nodes: readonly string[] | undefined,
  times: TimeRange,
): Promise<Arrivals> {
  if (nodes?.length === 0) return { nodes: [], cpus: [] };
  const { since, until } = times;
  const hours = { since: since && since - (since % HOUR_NS), until };
  return arrivalsIn(await knownOf(store, onNodes(nodes), times), hours);
}

/** What a store knows of nodes in a time: what it has read, before it is judged. */
type Known = Awaited<ReturnType<typeof knownOf>>;

/** Returns the condition for these nodes; undefined: all nodes. */
export function onNodes(nodes: readonly string[] | undefined): string {
  return nodes === undefined ? 'true' : `node IN (${nodes.map(literal).join(', ')})`;
}

/** Reads what is known of nodes; see cpusOn() for `endsByPart`. */
export async function knownOf(
  store: Store,
  onThese: string,
  parts: Parts,
  endsByPart?: Promise<ReadonlyMap<string, readonly Stamped[]>>,
) {
  const [seen, unknown, deleted, hooks, cpus] = await Promise.all([
    seenOn(store, onThese),
    unknownLossesOn(store, onThese, parts),
    deletedOn(store, onThese, parts),
    hooksOf(store, onThese),
    cpusOn(store, onThese, parts, endsByPart),
  ]);
  return { seen, unknown, deleted, hooks, cpus };
}

/** Returns what the numbers say about a part of the time, which is these hours. */
export function arrivalsIn(
  { seen, unknown, deleted, hooks, cpus }: Known,
  hours: TimeRange,
  part = 0,
): Arrivals {
  const found = [...cpus.values()].flatMap(({ known, ...place }): CpuArrivals[] => {
    const hook = hooks.get(known.hook);
    if (hook === undefined || !isOfTime(hook, hours)) return [];
    return [{ ...place, numbers: numbersOf(known, hook, place.cpu, part) }];
  });
  const byNode = Map.groupBy(found, ({ node }) => node);
  return {
    cpus: found,
    nodes: seen.map((one) => ({
      ...one,
      unknownLosses: unknown.get(`${part} ${one.node}`) ?? 0,
      deleted: deleted.get(`${part} ${one.node}`) ?? 0,
      cpus: (byNode.get(one.node) ?? []).map(({ numbers }) => numbers),
    })),
  };
}

/**
 * Returns what has arrived and what was reported of each CPU, by cpuKey(). `endsByPart` has the numbers in
 * the parts of the time, by cpuKey(), if there are several.
 */
async function cpusOn(
  store: Store,
  onNodes: string,
  parts: Parts,
  endsByPart?: Promise<ReadonlyMap<string, readonly Stamped[]>>,
): Promise<ReadonlyMap<string, KnownCpu>> {
  const cpus = new Map<string, KnownCpu>();
  const cpuOf = (place: Place) => {
    const key = cpuKey(place);
    const known = cpus.get(key) ?? { ...place, known: emptyCpu(hookKey(place)) };
    cpus.set(key, known);
    return known.known;
  };
  const [reported, totals, ends] = await Promise.all([
    reportedOn(store, onNodes, parts),
    totalsIn(store, onNodes, parts),
    endsByPart,
  ]);
  for (const { kind, first, last, part, isLast, node, boot, hook, cpu } of reported)
    cpuOf({ node, boot, hook, cpu })[kind].push({ first, last, part, isLast });
  for await (const { place, received } of receivedIn(store, parts, totals, cpus)) {
    const { received: known } = cpuOf(place);
    for (const range of merged(received)) known.push(range);
  }
  const coarse = totals.map((row: CpuTotals) => {
    const place = placeOf(row);
    const stretches = coarseOf(row, countOf(parts), ends && (ends.get(cpuKey(place)) ?? []));
    return { place, known: cpuOf(place), stretches };
  });
  await addStretches(store, coarse, parts);
  return cpus;
}

/** Returns the first and the last record of each node. */
async function seenOn(
  store: Store,
  onNodes: string,
): Promise<Pick<NodeFacts, 'node' | 'first' | 'last' | 'ahead'>[]> {
  const most = latestAt(Date.now());
  const rows = await store.rows<{
    node: string;
    first: string;
    last: string | null;
    stamped: string;
  }>(
    `SELECT node, toString(min(earliest)) AS first, toString(max(possible)) AS last,
       toString(max(latest)) AS stamped
     FROM (
       SELECT node, min(first_time) AS earliest, max(last_time) AS latest,
         maxOrNullIf(last_time, last_time <= ${most}) AS possible
       FROM ${tableOf(store, 'coverage')} WHERE ${onNodes} GROUP BY node
       UNION ALL
       SELECT node, min(timestamp) AS earliest, max(timestamp) AS latest,
         maxOrNullIf(timestamp, timestamp <= ${most}) AS possible
       FROM ${tableOf(store, 'journal')} WHERE ${onNodes} GROUP BY node)
     GROUP BY node ORDER BY node`,
  );
  return rows.map(({ node, first, last, stamped }) => ({
    node,
    first: BigInt(first),
    last: last === null ? undefined : BigInt(last),
    ...(last !== stamped && { ahead: BigInt(stamped) }),
  }));
}

/** Returns the hooks that have records on nodes, or that records are about, by hookKey(). */
async function hooksOf(store: Store, onNodes: string): Promise<Map<string, Hook>> {
  const journal = tableOf(store, 'journal');
  const seeing = store.rows<{
    node: string;
    boot: string;
    hook: string;
    first: string | null;
    last: string;
  }>(
    `SELECT node, boot, hook, toString(minOrNullIf(earliest, is_own)) AS first,
       toString(max(latest)) AS last
     FROM (
       SELECT node, toString(boot_id) AS boot, hook_id AS hook, min(first_time) AS earliest,
         max(last_time) AS latest, true AS is_own
       FROM ${tableOf(store, 'coverage')} WHERE ${onNodes} GROUP BY node, boot_id, hook_id
       UNION ALL
       SELECT node, toString(boot_id) AS boot, assumeNotNull(hook_id) AS hook,
         min(timestamp) AS earliest, max(timestamp) AS latest, true AS is_own
       FROM ${journal} WHERE ${onNodes} AND hook_id IS NOT NULL AND boot_id IS NOT NULL
       GROUP BY node, boot_id, hook_id
       UNION ALL
       SELECT node, toString(boot_id) AS boot,
         assumeNotNull(coalesce(loss_hook_id, withheld_hook_id)) AS hook,
         min(timestamp) AS earliest, max(timestamp) AS latest, false AS is_own
       FROM ${journal} WHERE ${onNodes} AND boot_id IS NOT NULL
         AND coalesce(loss_hook_id, withheld_hook_id) IS NOT NULL
       GROUP BY node, boot_id, hook)
     GROUP BY node, boot, hook`,
  );
  const starting = store.rows<{
    node: string;
    boot: string;
    hook: string;
    starts: string[][];
    format: string | null;
  }>(
    `SELECT node, toString(boot_id) AS boot, coalesce(hook_id, '') AS hook,
       CAST(groupUniqArray(hook_next_seq), 'Array(Array(String))') AS starts,
       toString(min(format_version)) AS format
     FROM ${journal} WHERE ${onNodes} AND action = 'journal.start'
     GROUP BY node, boot_id, hook_id`,
  );
  const [rows, starts] = await Promise.all([seeing, starting]);
  const byKey = new Map(starts.map((start) => [hookKey(start), start]));
  return new Map(
    rows.map((row) => {
      const start = byKey.get(hookKey(row));
      const hook: Hook = {
        node: row.node,
        first: row.first === null ? undefined : BigInt(row.first),
        last: BigInt(row.last),
        nextSeq: start && leastOf(start.starts.map((next) => next.map(Number))),
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
async function reportedOn(store: Store, onNodes: string, parts: Parts): Promise<Reported[]> {
  const journal = tableOf(store, 'journal');
  const { since } = parts;
  const wasSet = `node GLOBAL IN (SELECT node FROM ${journal} WHERE ${onNodes}
    GROUP BY node, boot_id HAVING max(boot_offset) - min(boot_offset) > ${MARGIN_NS})`;
  const isAsked =
    since === undefined
      ? onNodes
      : `${onNodes} AND (timestamp >= ${since - MARGIN_NS} OR ${wasSet})`;
  const rows = await store.rows<
    Omit<Reported, 'cpu' | 'first' | 'last' | 'part' | 'isLast'> &
      Readonly<Record<'cpu' | 'first' | 'last' | 'at' | 'highest', string>>
  >(
    `SELECT DISTINCT node, toString(boot_id) AS boot, loss_hook_id AS hook, toString(loss_cpu) AS cpu,
       if(loss_stage = 'retention', 'deleted', 'lost') AS kind, toString(loss_first_seq) AS first,
       toString(loss_last_seq) AS last, toString(timestamp) AS at, '' AS highest
     FROM ${journal} WHERE ${isAsked} AND action = 'journal.loss' AND loss_first_seq IS NOT NULL
     UNION ALL
     SELECT DISTINCT node, toString(boot_id) AS boot, withheld_hook_id AS hook,
       toString(withheld_cpu) AS cpu, 'withheld' AS kind, splitByChar('-', range)[1] AS first,
       splitByChar('-', range)[2] AS last, toString(timestamp) AS at,
       toString(arrayMax(one -> toInt64OrZero(splitByChar('-', one)[2]), withheld_ranges)) AS highest
     FROM ${journal} ARRAY JOIN withheld_ranges AS range
     WHERE ${isAsked} AND action = 'journal.withheld'`,
  );
  return rows
    .map(({ at, highest, ...row }) => ({
      ...row,
      cpu: Number(row.cpu),
      first: Number(row.first),
      last: Number(row.last),
      part: partOf(BigInt(at), parts),
      isLast: row.last === highest,
    }))
    .filter(({ first, last }) => Number.isSafeInteger(first) && Number.isSafeInteger(last));
}

/** A name of a hook for maps. */
function hookKey({ node, boot, hook }: Omit<Place, 'cpu'>): string {
  return JSON.stringify([node, boot, hook]);
}
