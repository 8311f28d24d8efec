import type { CpuNumbers, NodeFacts } from '../../completeness/node.ts';
import {
  type Cpu,
  emptyCpu,
  isOfTime,
  isOnlyNamed,
  numbersOf,
  type Stamped,
} from '../../completeness/numbers.ts';
import { merged } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import { HOUR_NS } from '../../select/time.ts';
import type { Store } from '../connect.ts';
import { literals } from '../schema/literal.ts';
import { deletedOn } from './deleted.ts';
import {
  type Begun,
  begunIn,
  bootEndsIn,
  hookKey,
  hooksIn,
  journalTotalsOn,
  seenIn,
  unhookedIn,
} from './hooks.ts';
import { countOf, cpuKey, type Parts, type Place } from './place.ts';
import { type CpuTotals, placeOf, receivedIn, totalsIn } from './received.ts';
import { type Reported, reportsOn } from './reports.ts';
import { lossSpans, spansByPart } from './spans.ts';
import { addStretches, coarseOf } from './stretches.ts';

/** The numbers of one CPU under one hook. */
export interface CpuArrivals extends Place {
  readonly numbers: CpuNumbers;
}

/** What has arrived from nodes, and what they have reported. */
export interface Arrivals {
  readonly nodes: readonly NodeFacts[];
  readonly cpus: readonly CpuArrivals[];
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
  return nodes === undefined ? 'true' : `node IN (${literals(nodes)})`;
}

/**
 * Reads what is known of nodes. `endsByPart` has the numbers in the parts of the time, by cpuKey(), if
 * there are several.
 */
export async function knownOf(
  store: Store,
  onThese: string,
  parts: Parts,
  endsByPart?: Promise<ReadonlyMap<string, readonly Stamped[]>>,
) {
  // Each question costs the server more than what it reads: none is asked twice.
  const [totals, journal, { reported, unknown }, deleted, ends] = await Promise.all([
    totalsIn(store, onThese, parts),
    journalTotalsOn(store, onThese),
    reportsOn(store, onThese, parts),
    deletedOn(store, onThese, parts),
    endsByPart,
  ]);
  return {
    seen: seenIn(totals, journal),
    unknown: spansByPart(lossSpans(unknown, bootEndsIn(totals, journal)), parts),
    unhooked: spansByPart(unhookedIn(journal), parts),
    deleted,
    hooks: hooksIn(totals, journal),
    cpus: await cpusIn(store, parts, { totals, reported, begun: begunIn(journal, parts), ends }),
  };
}

/** Returns what the numbers say about a part of the time, which is these hours. */
export function arrivalsIn(
  { seen, unknown, unhooked, deleted, hooks, cpus }: Known,
  hours: TimeRange,
  part = 0,
): Arrivals {
  const found = [...cpus.values()].flatMap(({ known, ...place }): CpuArrivals[] => {
    const hook = hooks.get(known.hook);
    if (hook === undefined || !isOfTime(hook, hours)) return [];
    const numbers = numbersOf(known, hook, place.cpu, part);
    return isOnlyNamed(known) && numbers.asked.length === 0 ? [] : [{ ...place, numbers }];
  });
  const byNode = Map.groupBy(found, ({ node }) => node);
  return {
    cpus: found,
    nodes: seen.map((one) => ({
      ...one,
      unknownLosses: unknown.get(`${part} ${one.node}`)?.length ?? 0,
      unhooked: unhooked.get(`${part} ${one.node}`)?.[0]?.from,
      deleted: deleted.get(`${part} ${one.node}`) ?? 0,
      cpus: (byNode.get(one.node) ?? []).map(({ numbers }) => numbers),
    })),
  };
}

/** What was read about CPUs. */
interface OfCpus {
  readonly totals: readonly CpuTotals[];
  readonly reported: readonly Reported[];
  readonly begun: readonly Begun[];
  readonly ends: ReadonlyMap<string, readonly Stamped[]> | undefined;
}

/** Returns what has arrived and what was reported of each CPU, by cpuKey(). */
async function cpusIn(
  store: Store,
  parts: Parts,
  { totals, reported, begun, ends }: OfCpus,
): Promise<ReadonlyMap<string, KnownCpu>> {
  const cpus = new Map<string, KnownCpu>();
  const cpuOf = (place: Place) => {
    const key = cpuKey(place);
    const known = cpus.get(key) ?? { ...place, known: emptyCpu(hookKey(place)) };
    cpus.set(key, known);
    return known.known;
  };
  for (const { kind, first, last, part, isLast, node, boot, hook, cpu } of reported)
    cpuOf({ node, boot, hook, cpu })[kind].push({ first, last, part, isLast });
  for (const { first, last, part, ...place } of begun)
    cpuOf(place).begun.push({ first, last, part });
  for await (const { place, received } of receivedIn(store, parts, totals, cpus)) {
    const { received: known } = cpuOf(place);
    for (const range of merged(received)) known.push(range);
  }
  const coarse = totals.map((row) => {
    const place = placeOf(row);
    const stretches = coarseOf(row, countOf(parts), ends && (ends.get(cpuKey(place)) ?? []));
    return { place, known: cpuOf(place), stretches };
  });
  await addStretches(store, coarse, parts);
  return cpus;
}
