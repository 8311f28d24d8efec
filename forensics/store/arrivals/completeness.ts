import type { NodeFacts } from '../../completeness/node.ts';
import { completenessOf } from '../../completeness/sentence.ts';
import { conditionOf, type Selection, type TimeRange } from '../../select/filter.ts';
import { nodesOf } from '../answer/question.ts';
import { CLICKHOUSE } from '../answer/words.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { arrivalsOf } from './arrivals.ts';

/** What an operator does about a store in which nothing has arrived. */
export const EMPTY =
  'no agent has sent a record yet: check that the Collector inserts into the table otel';

/** Says how complete the records of nodes are over the hours of a time; undefined: all nodes. */
export async function storeCompleteness(
  store: Store,
  nodes: readonly string[] | undefined,
  times: TimeRange,
): Promise<string> {
  return completenessIn((await arrivalsOf(store, nodes, times)).nodes, times, nodes !== undefined);
}

/** Says it of what has arrived; of no node, it says what that means. */
export function completenessIn(
  nodes: readonly NodeFacts[],
  times: TimeRange,
  areNamed: boolean,
): string {
  const sentence = completenessOf(nodes, times);
  if (nodes.length > 0) return sentence;
  return `${sentence}; ${areNamed ? 'no node of this name has sent a record' : EMPTY}`;
}

/** Says it of the nodes that a selection names. */
export async function completenessFor(
  store: Store,
  selection: Selection,
  times: TimeRange,
): Promise<string> {
  const [isAsked, { nodes }] = await Promise.all([
    nodesAsked(store, selection),
    arrivalsOf(store, nodesOf(selection), times),
  ]);
  return completenessIn(
    nodes.filter(({ node }) => isAsked(node)),
    times,
    selection.node !== undefined,
  );
}

/** Returns whether a selection names a node, by which patterns it may. */
export async function nodesAsked(
  store: Store,
  { node }: Selection,
): Promise<(node: string) => boolean> {
  if (node === undefined) return () => true;
  const rows = await store.rows<{ node: string }>(
    `SELECT node FROM (SELECT node FROM ${tableOf(store, 'coverage')} GROUP BY node
       UNION DISTINCT SELECT node FROM ${tableOf(store, 'journal')} GROUP BY node)
     WHERE ${conditionOf({ node }, 0, CLICKHOUSE).sql}`,
  );
  const names = new Set(rows.map((row) => row.node));
  return (name) => names.has(name);
}
