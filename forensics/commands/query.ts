import { StatementType } from '@duckdb/node-api';
import type { StoredRecord } from '../../record/read.ts';
import { withNumbers } from '../completeness/files.ts';
import { ForensicsError } from '../errors.ts';
import { type AuditLogFor, auditLogAt } from '../exec-requests/audit-log.ts';
import { Graph } from '../graph.ts';
import { mayNarrow, narrowToSelection } from '../indexed/narrow-selection.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { type RecordPrinter, recordPrinter } from '../output/records.ts';
import { jsonOf, printTable } from '../output/rows.ts';
import { print } from '../output/stdout.ts';
import { type Caused, causedColumns, isCaused } from '../select/caused.ts';
import { causedRows } from '../select/caused-rows.ts';
import { checkedCondition } from '../select/condition.ts';
import type { Selection } from '../select/filter.ts';
import { entriesByTime, hitsOf } from '../select/ordered.ts';
import { isStore } from '../store/address.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { entriesOf, recordsOf } from './chain.ts';

/** The table that query() scans. */
export const MARKED = 'marked';

const GONE =
  'a segment was compressed or deleted while it was read, because its agent is recording: run the query again';

/** The options of `vcml query`. */
export interface QueryOptions extends Selection, Caused, ConnectionOptions {
  readonly output: Form;
  readonly limit?: number;
  readonly sql?: string;
}

/** Prints the records of a selection, or the answer to a query over the views. */
export async function query(journals: Journals, options: QueryOptions): Promise<number> {
  if (options.sql !== undefined) return freeQuery(journals, options.sql, options);
  const auditLogFor = auditLogAt(options.auditLog, options);
  const { table, hits } = await selected(journals, options, auditLogFor);
  const log = await auditLogFor(await entriesAmong(journals, table, hits, options));
  await writeRows(journals, hits, options, recordPrinter(options.output, print, log.remarksOn));
  await printNotes(journals, log.summary);
  return 0;
}

/** Has a printer write the records of a selection. */
export async function writeRecords(
  journals: Journals,
  options: Selection & Pick<QueryOptions, 'limit'>,
  printer: RecordPrinter,
): Promise<void> {
  const { hits } = await marked(journals, options, []);
  await writeRows(journals, hits, options, printer);
}

/** The rows of a selection, and the table that has them. */
interface Selected {
  readonly table: string;
  readonly hits: readonly number[];
}

async function selected(
  journals: Journals,
  options: QueryOptions,
  auditLogFor: AuditLogFor,
): Promise<Selected> {
  const more = options.auditLog === undefined ? [] : ['entry'];
  if (!isCaused(options)) return marked(journals, options, more);
  const { sql, columns } = await checkedCondition(journals, options);
  const needed = [...new Set([...columns, ...more, ...causedColumns(options)])];
  const graph = await Graph.load(journals, withNumbers(journals, needed));
  const hits = await causedRows(journals, graph, options, sql, auditLogFor);
  return { table: 'links', hits };
}

/** Scans what a selection and an answer need, and finds the rows of the selection. */
async function marked(
  journals: Journals,
  selection: Selection,
  more: readonly string[],
): Promise<Selected> {
  const nowMs = Date.now();
  const { sql, columns } = await checkedCondition(journals, selection, nowMs);
  await narrowToSelection(journals, selection, nowMs);
  const numbers = withNumbers(journals, more, mayNarrow(selection, nowMs));
  const read = [...new Set([...columns, ...numbers])];
  await journals.scan(MARKED, read, [`${sql} AS hit`, ...numbers]);
  return { table: MARKED, hits: await hitsOf(journals, MARKED, 'hit') };
}

/** Returns the records that a table with the audit log is asked about; a file is read as a whole. */
async function entriesAmong(
  journals: Journals,
  table: string,
  hits: readonly number[],
  { auditLog }: QueryOptions,
): Promise<StoredRecord[]> {
  if (auditLog === undefined || !isStore(auditLog)) return [];
  const entries = new Set(await hitsOf(journals, table, `entry = 'exec'`));
  const rows = hits.filter((row) => entries.has(row));
  return recordsOf(await entriesOf(journals, rows));
}

async function writeRows(
  journals: Journals,
  hits: readonly number[],
  { limit = Number.POSITIVE_INFINITY }: Pick<QueryOptions, 'limit'>,
  printer: RecordPrinter,
): Promise<void> {
  let left = limit;
  for await (const entry of entriesByTime(journals, hits)) {
    if (left <= 0) break;
    left -= 1;
    await printer.record(entry);
  }
  await printer.end();
}

/** Runs one SELECT over the views of a selection, which can read no file but the inputs. */
async function freeQuery(journals: Journals, sql: string, options: QueryOptions): Promise<number> {
  const condition = await checkedCondition(journals, options);
  await journals.readyViews(condition.sql);
  await journals.confine();
  try {
    const statements = await journals.connection.extractStatements(sql);
    if (statements.count !== 1)
      throw new ForensicsError('usage', '--sql accepts one statement only');
    const prepared = await statements.prepare(0);
    if (prepared.statementType !== StatementType.SELECT)
      throw new ForensicsError('usage', '--sql accepts a SELECT only: vcml writes nothing');
    const reader = await prepared.runAndReadAll();
    const rows = reader.getRows().map((row) => row.map(jsonOf));
    await printTable({ columns: reader.deduplicatedColumnNames(), rows }, options.output);
  } catch (cause) {
    if (cause instanceof ForensicsError) throw cause;
    if (!journals.areThere) throw new ForensicsError('unreadable', GONE, { cause });
    throw new ForensicsError('usage', `--sql: ${inOneLine((cause as Error).message)}`, { cause });
  }
  await printNotes(journals);
  return 0;
}

/** Returns the engine's sentences, such as the names that it suggests, without its copy of the text. */
function inOneLine(message: string): string {
  const lines = message.split('\n').filter((line) => line !== '');
  const copy = lines.findIndex((line) => /^LINE \d+:/.test(line));
  return lines.slice(0, copy < 0 ? undefined : copy).join(' ');
}
