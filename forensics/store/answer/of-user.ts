import type { AuditLogFor } from '../../exec-requests/audit-log.ts';
import { recordIn } from '../../record-in.ts';
import { Judge } from '../../select/caused-by-user.ts';
import { IS_SESSION } from '../../select/of-user.ts';
import type { Store } from '../connect.ts';
import { effectsOf, nodesId, selectedRows, withCauses } from './fetch.ts';
import { causingCondition, type Question } from './question.ts';
import { lineOf, type Row } from './record-line.ts';

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
