import { carries, MAY_CARRY, uncertainty } from '../../select/of-trace.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { effectsOf, type Link, nodesId, selectedRows, withCauses } from './fetch.ts';
import { causingCondition, conditionFor, type Question } from './question.ts';
import type { Row } from './record-line.ts';

type OfTrace = Question & { readonly trace: string };

/**
 * Returns the rows of all execs that carry a trace, and their effects, level by level. A trace may have begun
 * before the time of the question.
 */
export function rowsOfTrace(
  store: Store,
  question: OfTrace,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const rows = carriersAndEffects(store, question, nowMs);
  return question.causes === true ? withCauses(store, rows) : rows;
}

async function* carriersAndEffects(
  store: Store,
  question: OfTrace,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const condition = `${carries(question.trace)} AND ${causingCondition(question, nowMs)}`;
  const carriers: Link[] = [];
  for await (const rows of selectedRows(store, condition)) {
    for (const { node, timestamp, id } of rows)
      carriers.push({ node, timestamp, id: String(id), parent_cause: null });
    yield rows;
  }
  yield* effectsOf(store, carriers, new Set(carriers.map(nodesId)));
}

/** Says how many execs of a selection may carry a trace, and are not looked at. */
export async function uncertaintyIn(
  store: Store,
  question: Question,
  nowMs: number,
): Promise<string[]> {
  const [row] = await store.rows<{ readonly found: string }>(
    `SELECT toString(uniqExact(node, timestamp, id)) AS found FROM ${tableOf(store, 'records')}
     WHERE ${MAY_CARRY} AND ${conditionFor(question, nowMs)}`,
  );
  return uncertainty(Number(row?.found ?? 0));
}
