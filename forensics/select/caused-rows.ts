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
  return caused ? matching.filter((row) => caused.has(row)) : matching;
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
