import type { AuditLogFor } from '../../exec-requests/audit-log.ts';
import { recordIn } from '../../record-in.ts';
import { Judge } from '../../select/caused-by-user.ts';
import { IS_MATCHED, IS_SESSION, placeSql, type WithoutId } from '../../select/of-user.ts';
import type { Store } from '../connect.ts';
import { tableOf } from '../schema/literal.ts';
import { effectsOf, nodesId, selectedRows, withCauses } from './fetch.ts';
import { causingCondition, type Question } from './question.ts';
import { lineOf, type Row } from './record-line.ts';
import { CLICKHOUSE } from './words.ts';

/**
 * Returns the rows of all sessions that carry the id of a request, and the effects of those that are of a
 * user, level by level. A session may have begun long before the time of the question.
 */
export function rowsOfUser(
  store: Store,
  question: Question & { readonly kubernetesUser: string },
  auditLogFor: AuditLogFor,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const rows = sessionsAndEffects(store, question, auditLogFor, nowMs);
  return question.causes === true ? withCauses(store, rows) : rows;
}

async function* sessionsAndEffects(
  store: Store,
  question: Question & { readonly kubernetesUser: string },
  auditLogFor: AuditLogFor,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const condition = `${IS_SESSION} AND ${causingCondition(question, nowMs)}`;
  const sessions: Row[] = [];
  for await (const rows of selectedRows(store, condition)) sessions.push(...rows);
  yield sessions;
  const records = sessions.map((row) => recordIn(lineOf(row)));
  const log = await auditLogFor(records);
  const judge = new Judge(log, records);
  const chosen = sessions
    .filter((_, index) => judge.isOfUser(records[index], question.kubernetesUser))
    .map((row) => ({ ...row, id: String(row.id), parent_cause: null }));
  // A session within a session is one of its effects, and leads to others.
  const yielded = new Set(sessions.map((row) => nodesId({ ...row, id: String(row.id) })));
  for await (const rows of effectsOf(store, chosen, new Set(chosen.map(nodesId))))
    yield rows.filter((row) => !yielded.has(nodesId({ ...row, id: String(row.id) })));
}

/** Counts the entries of a store that cannot have an id, in the places of a question. */
export async function withoutIdIn(
  store: Store,
  question: Question,
  nowMs: number,
): Promise<WithoutId> {
  const { since: _, ...anytime } = question;
  const place = placeSql(anytime, nowMs, CLICKHOUSE);
  const asked = placeSql(question, nowMs, CLICKHOUSE);
  const count = (condition: string, name: string) =>
    `toString(uniqExactIf(tuple(node, timestamp, id), ${condition})) AS ${name}`;
  const [row] = await store.rows<Record<keyof WithoutId, string>>(
    `SELECT ${count('true', 'all')}, ${count(asked, 'inTime')},
       ${count(`${asked} AND ${IS_MATCHED}`, 'matched')}
     FROM ${tableOf(store, 'records')}
     WHERE entry = 'exec' AND NOT coalesce(${IS_SESSION}, false)
       AND ${place} AND ${causingCondition(question, nowMs)}`,
  );
  const { all, inTime, matched } = row ?? {};
  return { all: Number(all), inTime: Number(inTime), matched: Number(matched) };
}
