import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import { completenessIn, withNumbers } from '../completeness/files.ts';
import { ForensicsError } from '../errors.ts';
import { type AuditLog, readAuditLog } from '../exec-requests/audit-log.ts';
import { Graph } from '../graph.ts';
import { narrowToChain } from '../indexed/narrow-chain.ts';
import type { Entry, Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { recordPrinter } from '../output/records.ts';
import { isCircle, sentencesOf, whereOf } from '../output/sentences.ts';
import { paint, print } from '../output/stdout.ts';
import { bodyOf, gapOf, headOf, shortId, userOf, wrapped } from '../output/text.ts';
import { recordIn } from '../record-in.ts';
import { checkedCondition } from '../select/condition.ts';
import type { ConnectionOptions } from '../store/connect.ts';

/** The options of `vcml chain`. */
export interface ChainOptions extends ConnectionOptions {
  readonly output: Form | 'sentences';
  /** the path of the API server's audit log, or the address of a table that has it */
  readonly auditLog?: string;
  /** the node of the record, if several nodes have its id */
  readonly node?: string;
}

/** Prints a record, its causes back to where they end, and why they end there. */
export async function chain(
  journals: Journals,
  id: string,
  { output, auditLog, node, ...connection }: ChainOptions,
): Promise<number> {
  if (node !== undefined) await checkedCondition(journals, { node });
  await narrowToChain(journals, id, node);
  const graph = await Graph.load(journals, withNumbers(journals, [], true));
  const row = await graph.find(id, node);
  const rows = graph.chainOf(row);
  const entries = await entriesOf(journals, rows);
  const records = recordsOf(entries);
  const log = await readAuditLog(auditLog, records, connection);
  if (output === 'text') await printChain(records, log);
  else if (output === 'sentences') await printSentences(records, log);
  else {
    const printer = recordPrinter(output);
    for (const entry of entries) await printer.record(entry);
    await printer.end();
  }
  await printNotes(journals, log.summary);
  await completenessIn(journals, {}, 'links', row);
  return 0;
}

/** Returns the lines of these rows in this order. */
export async function entriesOf(journals: Journals, rows: readonly number[]): Promise<Entry[]> {
  const byRow = new Map<number, Entry>();
  for await (const entry of journals.entries(rows.toSorted((a, b) => a - b)))
    byRow.set(entry.row, entry);
  return rows.map((row) => {
    const entry = byRow.get(row);
    if (entry === undefined)
      throw new ForensicsError('unreadable', 'a file changed while it was read');
    return entry;
  });
}

/** Returns the records of entries. */
export function recordsOf(entries: readonly Entry[]): StoredRecord[] {
  return entries.map(({ text }) => recordIn(text));
}

async function printChain(
  records: readonly StoredRecord[],
  { remarksOn }: AuditLog,
): Promise<void> {
  const [about] = records;
  if (about !== undefined)
    await print(paint('bold', wrapped(`${whereOf(about)}, as ${userOf(about)}`, '')));
  for (const [depth, record] of records.entries()) {
    await print(`${depth === 0 ? '  ' : '← '}${headOf(record)}\n${bodyOf(record, '    ')}`);
    for (const remark of remarksOn(record)) await print(wrapped(remark, '    '));
  }
  const last = records.at(-1);
  if (last !== undefined)
    await print(`${paint('gap', wrapped(endOf(last, records), '  ').trimEnd())}\n`);
}

async function printSentences(
  records: readonly StoredRecord[],
  { remarksOn }: AuditLog,
): Promise<void> {
  for (const sentence of sentencesOf(records, remarksOn)) await print(wrapped(sentence, ''));
}

/** Says why a chain ends. */
function endOf(last: StoredRecord, records: readonly StoredRecord[]): string {
  const { parentCause } = last;
  if (parentCause === undefined) {
    const root = last.permittedBy.startsWith('root_event:');
    return root
      ? `■ a root: ${visible(last.permittedBy)}`
      : `⁇ the chain ends here: ${gapOf(last)}`;
  }
  if (isCircle(last, records))
    return `‼ the links run in a circle, back to ${shortId(parentCause)}: see \`vcml audit\``;
  return `⁇ the cause ${visible(parentCause)} is in none of these files as a record of this node: \`vcml gaps\` may say why`;
}
