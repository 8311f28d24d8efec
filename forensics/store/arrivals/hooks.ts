import type { NodeFacts } from '../../completeness/node.ts';
import { type Hook, leastOf, type Stamped } from '../../completeness/numbers.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { type Parts, type Place, partOf, possibleOf } from './place.ts';
import type { CpuTotals } from './received.ts';

/** What records about the journal say about hooks: their own, and those that they are about. */
interface JournalTotals {
  readonly node: string;
  readonly boot: string | null;
  readonly hook: string | null;
  /** the hook whose numbers were lost or withheld */
  readonly about: string | null;
  readonly first: string;
  readonly last: string;
  /** the last time that no clock contradicts */
  readonly possible: string | null;
  /** the starts and the stops of agents */
  readonly turns: readonly Turn[];
  readonly format: string | null;
}

/** A start or a stop: when, which, whether it detached the hook, and what it expects first, by CPU. */
type Turn = readonly [at: string, isStart: number, isDetached: number, next: readonly string[]];

/** A time from its first to its last moment. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** Reads what the records about the journal of nodes say about hooks. */
export function journalTotalsOn(store: Store, onNodes: string): Promise<JournalTotals[]> {
  return store.rows<JournalTotals>(
    `SELECT node, toString(boot_id) AS boot, hook_id AS hook,
       coalesce(loss_hook_id, withheld_hook_id) AS about, toString(min(timestamp)) AS first,
       toString(max(timestamp)) AS last, ${possibleOf('timestamp')},
       groupUniqArrayIf((toString(timestamp), action = 'journal.start',
           ifNull(hook_state, '') = 'detached', CAST(hook_next_seq, 'Array(String)')),
         action IN ('journal.start', 'journal.stop')) AS turns,
       toString(minIf(format_version, action = 'journal.start')) AS format
     FROM ${tableOf(store, 'journal')} WHERE ${onNodes} GROUP BY node, boot_id, hook_id, about`,
  );
}

/** Returns the first and the last record of each node. */
export function seenIn(
  totals: readonly CpuTotals[],
  journal: readonly JournalTotals[],
): readonly Pick<NodeFacts, 'node' | 'first' | 'last' | 'ahead'>[] {
  const seen = new Map<string, Span>();
  const lasts = new Map<string, Span>();
  for (const row of totals) widen(seen, row.node, spanOfCpu(row));
  for (const row of journal) widen(seen, row.node, spanOfRow(row));
  for (const { node, possible } of [...totals, ...journal])
    if (possible !== null) widen(lasts, node, { first: BigInt(possible), last: BigInt(possible) });
  const nodes = Array.from(seen, ([node, { first, last: stamped }]) => {
    const last = lasts.get(node)?.last;
    return { node, first, last, ...(last !== stamped && { ahead: stamped }) };
  });
  return nodes.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Returns the time of the last record of each boot, by bootKey(). */
export function bootEndsIn(
  totals: readonly CpuTotals[],
  journal: readonly JournalTotals[],
): ReadonlyMap<string, bigint> {
  const boots = new Map<string, Span>();
  for (const row of totals) widen(boots, bootKey(row), spanOfCpu(row));
  for (const row of journal) widen(boots, bootKey(row), spanOfRow(row));
  return new Map(Array.from(boots, ([key, { last }]) => [key, last]));
}

/** Returns the hooks that have records, or that records are about, by hookKey(). */
export function hooksIn(
  totals: readonly CpuTotals[],
  journal: readonly JournalTotals[],
): ReadonlyMap<string, Hook> {
  const own = new Map<string, Span>();
  const about = new Map<string, Span>();
  const nodes = new Map<string, string>();
  const starts = new Map<string, JournalTotals[]>();
  for (const row of totals) {
    widen(own, hookKey(row), spanOfCpu(row));
    nodes.set(hookKey(row), row.node);
  }
  for (const row of journal) {
    const { node, boot, hook } = row;
    if (boot === null) continue;
    const ownKey = hookKey({ node, boot, hook: hook ?? '' });
    if (startsIn(row).length > 0) starts.set(ownKey, [...(starts.get(ownKey) ?? []), row]);
    if (hook !== null) {
      widen(own, ownKey, spanOfRow(row));
      nodes.set(ownKey, node);
    }
    if (row.about !== null) {
      const key = hookKey({ node, boot, hook: row.about });
      widen(about, key, spanOfRow(row));
      nodes.set(key, node);
    }
  }
  return new Map(
    Array.from(nodes, ([key, node]): [string, Hook] => {
      const [mine, others, begun] = [own.get(key), about.get(key), starts.get(key)];
      const ends = [mine, others].flatMap((span) => (span === undefined ? [] : [span.last]));
      const hook: Hook = {
        node,
        first: mine?.first,
        last: ends.reduce(later),
        nextSeq: begun && leastOf(begun.flatMap(startsIn).map(([, , , next]) => next.map(Number))),
        isUntold: begun?.some(({ format }) => Number(format) < 2) ?? false,
      };
      return [key, hook];
    }),
  );
}

/** Returns the starts in rows about the journal. */
function startsIn({ turns }: JournalTotals): readonly Turn[] {
  return turns.filter(([, isStart]) => isStart === 1);
}

/** Returns the numbers that agents had when they started: every one up to the last is theirs. */
export function begunIn(journal: readonly JournalTotals[], parts: Parts): readonly Begun[] {
  return journal.flatMap((row) => {
    const { node, boot, hook } = row;
    if (boot === null || hook === null) return [];
    return startsIn(row).flatMap(([at, , , next]) =>
      next.map((one, cpu): Begun => {
        const last = Number(one) - 1;
        return { node, boot, hook, cpu, first: last, last, part: partOf(BigInt(at), parts) };
      }),
    );
  });
}

/** The last number that an agent had when it started. */
export type Begun = Place & Stamped;

/** Returns the times from which on no hook was there, and those of the next starts, if there are any. */
export function unhookedIn(journal: readonly JournalTotals[]): readonly Unhooked[] {
  const byNode = Map.groupBy(journal, ({ node }) => node);
  return [...byNode].flatMap(([node, rows]) => {
    const turns = rows.flatMap((row) => row.turns);
    const inOrder = turns.toSorted(([one], [other]) => (BigInt(one) < BigInt(other) ? -1 : 1));
    return inOrder.flatMap(([at, isStart, isDetached], index): Unhooked[] => {
      const next = inOrder[index + 1]?.[0];
      if (isStart === 1 || isDetached === 0) return [];
      return [{ node, from: BigInt(at), to: next === undefined ? undefined : BigInt(next) }];
    });
  });
}

/** A time without a hook; `to` undefined: until now. */
interface Unhooked {
  readonly node: string;
  readonly from: bigint;
  readonly to: bigint | undefined;
}

/** A name of a hook for maps. */
export function hookKey({ node, boot, hook }: Omit<Place, 'cpu'>): string {
  return JSON.stringify([node, boot, hook]);
}

/** A name of a boot for maps. */
export function bootKey({ node, boot }: Pick<JournalTotals, 'node' | 'boot'>): string {
  return JSON.stringify([node, boot]);
}

function widen(spans: Map<string, Span>, key: string, span: Span): void {
  const { first, last } = spans.get(key) ?? span;
  spans.set(key, {
    first: -later(-first, -span.first),
    last: later(last, span.last),
  });
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function spanOfCpu({ earliest, latest }: CpuTotals): Span {
  return { first: BigInt(earliest), last: BigInt(latest) };
}

function spanOfRow({ first, last }: JournalTotals): Span {
  return { first: BigInt(first), last: BigInt(last) };
}
