import type { ReportRecord } from '../../../forensics/report/render.ts';
import { exec, idOf, incident, many } from '../report/incident.ts';

const HOUR_MS = 3_600_000;

/** Journals of three nodes: an incident with a loss, a busy node, and one that is silent for hours. */
export function fleet(): Readonly<Record<string, readonly ReportRecord[]>> {
  const busy = many(600).map((record, n) =>
    onNode('node-2', {
      ...record,
      id: idOf(10_000 + n),
      parent_cause: n % 500 === 0 ? null : idOf(10_000 + n - (n % 5 === 0 ? 5 : n % 5)),
    }),
  );
  const quiet = [0, 5 * HOUR_MS].map((ms, n) =>
    onNode('node-3', exec(2 * n, { id: idOf(20_000 + n), ms, args: ['crond'] })),
  );
  return { 'node-1.jsonl': incident(), 'node-2.jsonl': busy, 'node-3.jsonl': quiet };
}

/** Returns a record of another node. */
export function onNode(node: string, record: ReportRecord): ReportRecord {
  return { ...record, resource: { ...(record.resource as object), 'host.name': node } };
}
