import { counted } from '../../record/describe.ts';
import type { AuditLogFor } from '../exec-requests/audit-log.ts';
import type { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import type { Caused } from './caused.ts';
import { causedByTrace } from './caused-by-trace.ts';
import { causedByUser } from './caused-by-user.ts';
import type { Selection } from './filter.ts';
import { hitsOf } from './ordered.ts';

/** Returns the rows that match a condition, and of these only what was caused by what is asked for. */
export async function causedRows(
  journals: Journals,
  graph: Graph,
  asked: Caused & Selection,
  condition: string,
  auditLogFor: AuditLogFor,
): Promise<readonly number[]> {
  const matching = await hitsOf(journals, 'links', condition);
  const caused = await causedBy(journals, graph, asked, condition, auditLogFor);
  if (caused === undefined) return matching;
  if (journals.agents !== undefined) {
    const others = matching.filter((row) => !caused.has(row));
    journals.notes = [...journals.notes, ...(await unfollowed(journals, graph, others))];
  }
  return matching.filter((row) => caused.has(row));
}

/** Says how many rows have causes that agents did not send, because these are of before the time. */
async function unfollowed(
  journals: Journals,
  graph: Graph,
  rows: readonly number[],
): Promise<string[]> {
  const linked = new Set(await hitsOf(journals, 'links', 'parent IS NOT NULL'));
  const isUnfollowed = (row: number) => {
    const last = graph.chainOf(row).at(-1) ?? row;
    return linked.has(last) && graph.parentOf(last) === undefined;
  };
  const count = rows.filter(isUnfollowed).length;
  if (count === 0) return [];
  return [
    `${counted(count, 'record')} may belong to it, with causes that agents did not send: try an earlier --since`,
  ];
}

async function causedBy(
  journals: Journals,
  graph: Graph,
  asked: Caused & Selection,
  condition: string,
  auditLogFor: AuditLogFor,
): Promise<ReadonlySet<number> | undefined> {
  const { kubernetesUser, trace } = asked;
  if (kubernetesUser !== undefined)
    return causedByUser(journals, graph, kubernetesUser, asked, auditLogFor);
  return trace === undefined ? undefined : causedByTrace(journals, graph, trace, condition);
}
