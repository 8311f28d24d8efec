import { StatementType } from '@duckdb/node-api';
import { withNumbers } from '../completeness/files.ts';
import { ForensicsError } from '../errors.ts';
import { mayNarrow, narrowToSelection } from '../indexed/narrow-selection.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { type RecordPrinter, recordPrinter } from '../output/records.ts';
import { jsonOf, printTable } from '../output/rows.ts';
import { checkedCondition } from '../select/condition.ts';
import type { Selection } from '../select/filter.ts';
import { entriesByTime, hitsOf } from '../select/ordered.ts';

/** The table that query() scans. */
export const MARKED = 'marked';

const GONE =
  'a segment was compressed or deleted while it was read, because its agent is recording: run the query again';

/** The options of `vcml query`. */
export interface QueryOptions extends Selection {
  readonly output: Form;
  readonly limit?: number;
  readonly sql?: string;
}

/** Prints the records of a selection, or the answer to a query over the views. */
export async function query(journals: Journals, options: QueryOptions): Promise<number> {
  if (options.sql !== undefined) return freeQuery(journals, options.sql, options);
  await writeRecords(journals, options, recordPrinter(options.output));
  await printNotes(journals);
  return 0;
}

/** Has a printer write the records of a selection. */
export async function writeRecords(
  journals: Journals,
  options: Selection & Pick<QueryOptions, 'limit'>,
  printer: RecordPrinter,
): Promise<void> {
  const nowMs = Date.now();
  const { sql, columns } = await checkedCondition(journals, options, nowMs);
  await narrowToSelection(journals, options, nowMs);
  const numbers = withNumbers(journals, [], mayNarrow(options, nowMs));
  await journals.scan(MARKED, [...columns, ...numbers], [`${sql} AS hit`, ...numbers]);
  const hits = await hitsOf(journals, MARKED, 'hit');
  let left = options.limit ?? Number.POSITIVE_INFINITY;
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
