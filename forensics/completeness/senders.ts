import { literal } from '../columns.ts';
import type { Journals } from '../journals.ts';

/**
 * Returns the query for those records in a table of a scan, with their `row`, that name the node whose agent
 * sent them. Agents of other nodes cannot witness for it.
 */
export function ownRecordsSql(journals: Journals, table: string): string {
  return `(SELECT sent.*, sent.rowid AS row FROM ${table} sent
    JOIN ${sendersSql(journals)} ON senders.file = enum_code(sent.file) AND senders.name = sent.node
    WHERE readable)`;
}

/** Returns by node how many records its agent sent that do not name it. */
export async function strangersIn(journals: Journals, table: string): Promise<Map<string, number>> {
  const rows = await journals.rows(
    `SELECT senders.name, count(*) FROM ${table} sent
     JOIN ${sendersSql(journals)} ON senders.file = enum_code(sent.file)
     WHERE readable AND sent.node IS DISTINCT FROM senders.name GROUP BY ALL ORDER BY ALL`,
  );
  return new Map(rows.map(([node, count]) => [String(node), Number(count)]));
}

/** The answer of an agent is a file that has the name of its node. */
function sendersSql({ files }: Journals): string {
  const senders = files.map(({ path }, file) => `(${file}, ${literal(path)})`);
  return `(VALUES ${senders.join(', ')}) senders(file, name)`;
}
