import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import { completenessIn, withNumbers } from '../completeness/files.ts';
import { ForensicsError } from '../errors.ts';
import { auditLogAt } from '../exec-requests/audit-log.ts';
import { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { notesOf, printNotes } from '../output/notes.ts';
import { remark } from '../output/stderr.ts';
import { writeOwnFile } from '../output/written.ts';
import { recordIn } from '../record-in.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { reported } from '../report/pack.ts';
import { type ReportInput, renderReport } from '../report/render.ts';
import { type Caused, causedColumns } from '../select/caused.ts';
import { causedRows } from '../select/caused-rows.ts';
import { checkedCondition } from '../select/condition.ts';
import type { Selection } from '../select/filter.ts';
import { entriesByTime } from '../select/ordered.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { entriesOf, recordsOf } from './chain.ts';

/**
 * The size of the lines in a report. It takes twice as much memory, and must fit into one string of
 * V8.
 */
const TEXT_MAX = 512 << 20;
const TOO_LARGE =
  'too many records for one page: narrow the selection (--since, --pod, …) or lower --limit; ' +
  '`vcml export` writes all records';

/** The options of `vcml report`. */
export interface ReportOptions extends Selection, Caused, ConnectionOptions {
  /** the path of the file to write */
  readonly out: string;
  readonly title?: string;
  /** the number of records; by default, it depends on the form */
  readonly limit?: number;
  /** Whether the file is Markdown and not HTML. */
  readonly markdown?: boolean;
  /** the selection as the user wrote it */
  readonly selection: string;
}

/** The number of records by default: a page shows them all, and a ticket is read as a whole. */
const HTML_RECORDS = 50_000;
const MARKDOWN_RECORDS = 200;

/**
 * Writes one file, either about a record, with its causes and all records that it caused, or
 * about a selection, with the causes of its records.
 */
export async function report(
  journals: Journals,
  id: string | undefined,
  options: ReportOptions,
  textMax = TEXT_MAX,
): Promise<number> {
  const auditLogFor = auditLogAt(options.auditLog, options);
  const { sql, columns } = await checkedCondition(journals, options);
  const needed = [...new Set([...columns, ...causedColumns(options)])];
  const graph = await Graph.load(journals, withNumbers(journals, needed, true));
  const hits = await causedRows(journals, graph, options, sql, auditLogFor);
  const about = id === undefined ? undefined : await graph.find(id, options.node);
  const chosen = about === undefined ? hits : around(graph, about, hits);
  const rows = new Set<number>();
  for (const row of chosen) for (const one of graph.chainOf(row)) rows.add(one);
  const all = [...rows].sort((a, b) => a - b);
  if (all.length === 0) throw new ForensicsError('negative', 'no record matches this selection');
  const { markdown = false, limit = markdown ? MARKDOWN_RECORDS : HTML_RECORDS } = options;
  const kept = all.slice(0, limit);
  const records: StoredRecord[] = [];
  const notes = new Map<number, string[]>();
  let length = 0;
  for await (const { text } of entriesByTime(journals, kept)) {
    length += text.length;
    if (length > textMax) throw new ForensicsError('usage', TOO_LARGE);
    records.push(recordIn(text));
  }
  const { remarksOn, summary } = await auditLogFor(records);
  for (const [place, record] of records.entries()) {
    const remarks = remarksOn(record);
    if (remarks.length > 0) notes.set(place, remarks);
  }
  const warnings = await notesOf(journals);
  const beyond = `${all.length - kept.length} more records are beyond --limit ${limit}`;
  if (kept.length < all.length) warnings.push(beyond);
  if (summary !== undefined) warnings.push(summary);
  warnings.push(visible(await completenessIn(journals, options, 'links', about)));
  const inputs = journals.files.map(({ path }, index) => {
    const { count = 0, skipped = 0, again = 0 } = journals.extents[index] ?? {};
    return { path, records: count - skipped - again, skippedLines: skipped };
  });
  const title = options.title ?? 'What happened';
  const generatedFrom = { inputs, warnings };
  const input = { title, selection: options.selection, generatedFrom, notes };
  const text = markdown
    ? renderMarkdown({ ...input, records, chain: await chainOf(journals, graph, about) })
    : rendered({ ...input, records: records.map(reported) });
  writeOwnFile(options.out, text);
  await printNotes(journals, summary);
  remark(`${records.length} records in ${options.out}`);
  if (kept.length < all.length) remark(beyond);
  return 0;
}

/** Reads a record and its causes, also those that are beyond the limit. */
async function chainOf(
  journals: Journals,
  graph: Graph,
  row: number | undefined,
): Promise<StoredRecord[]> {
  return row === undefined ? [] : recordsOf(await entriesOf(journals, graph.chainOf(row)));
}

function rendered(input: ReportInput): string {
  try {
    return renderReport(input);
  } catch (cause) {
    // it is longer than a string can be
    if (cause instanceof RangeError) throw new ForensicsError('usage', TOO_LARGE, { cause });
    throw cause;
  }
}

/** Finds a record, its causes, and the records that it caused and that are in the selection. */
function around(graph: Graph, row: number, selected: readonly number[]): number[] {
  const within = new Set(selected);
  const found = new Set([row]);
  for (const one of found)
    for (const child of graph.childrenOf(one)) if (within.has(child)) found.add(child);
  return [...found];
}
