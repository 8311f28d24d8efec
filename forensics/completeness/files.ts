import { literal } from '../columns.ts';
import type { Journals } from '../journals.ts';
import { conditionOf, type Times, timeRangeOf } from '../select/filter.ts';
import { type Numbered, nodeFactsIn } from './facts.ts';
import type { AgentsAnswer, NodeFacts } from './node.ts';
import { ownRecordsSql, strangersIn } from './senders.ts';
import { completenessOf } from './sentence.ts';

/** The columns from which it can be said how complete records are. */
export const NUMBERS = [
  'timestamp',
  'node',
  'boot_id',
  'hook_id',
  'cpu',
  'seq',
  'action',
  'format_version',
  'hook_next_seq',
  'hook_state',
  'loss_stage',
  'loss_boot_id',
  'loss_hook_id',
  'loss_cpu',
  'loss_first_seq',
  'loss_last_seq',
  'withheld_hook_id',
  'withheld_cpu',
  'withheld_ranges',
];

/** An answer from one journal may need few of its lines, and the numbers are in all of them. */
const NOT_JUDGED =
  'complete: not judged, because that takes reading the whole journal; `vcml gaps` does';

/**
 * Returns the columns of a scan with those that completenessIn() needs, so that the inputs are read
 * once. Where an index may narrow the answer to some lines of one journal, they are of no use.
 */
export function withNumbers(
  journals: Journals,
  columns: readonly string[],
  mayBeNarrowed = false,
): readonly string[] {
  const isJudged = journals.completeness !== undefined;
  const isNarrowed = mayBeNarrowed && journals.isOneJournal && journals.agents === undefined;
  if (isJudged || isNarrowed) return columns;
  return [...new Set([...columns, ...NUMBERS])];
}

/**
 * Says how complete the memory of the nodes is over the time that was asked for, or that of the node of
 * one record, by its row. The first call decides: what ends an answer repeats it. Inputs of several journals are read once more, unless the table of the last
 * scan has the columns of withNumbers().
 */
export async function completenessIn(
  journals: Journals,
  asked: Times,
  scanned: string,
  row?: number,
): Promise<string> {
  journals.completeness ??= await judged(journals, asked, scanned, row);
  return journals.completeness;
}

async function judged(
  journals: Journals,
  asked: Times,
  scanned: string,
  row: number | undefined,
): Promise<string> {
  const hasNumbers = await isThere(journals, scanned);
  if (!hasNumbers && journals.isOneJournal) return NOT_JUDGED;
  const nowMs = Date.now();
  const times = timeRangeOf(asked, nowMs);
  const table = hasNumbers ? scanned : 'numbered';
  if (!hasNumbers) await journals.scan(table, NUMBERS);
  const { node } = asked;
  const { agents } = journals;
  const condition =
    row === undefined || !hasNumbers
      ? conditionOf(node === undefined ? {} : { node }, nowMs).sql
      : `node = (SELECT node FROM ${table} WHERE rowid = ${row})`;
  const records =
    agents === undefined
      ? `(SELECT *, rowid AS row FROM ${table} WHERE readable)`
      : ownRecordsSql(journals, table);
  const numbered = numberedIn(journals, records);
  const facts = await nodeFactsIn({ ...numbered, condition, ...agents }, times);
  if (agents === undefined) return completenessOf(facts, times);
  const all = unjudgedOf(agents, facts, await strangersIn(journals, table));
  return completenessOf(facts, times, await matching(journals, all, condition));
}

/** Returns the nodes that cannot be judged, and why; the last reason counts. */
function unjudgedOf(
  { unjudged, asked }: AgentsAnswer,
  facts: readonly NodeFacts[],
  strangers: ReadonlyMap<string, number>,
): Map<string, string> {
  const own = new Set(facts.map(({ node }) => node));
  const silent = asked.filter((node) => !own.has(node));
  return new Map<string, string>([
    ...silent.map((node) => [node, 'it sent no record of its own'] as const),
    ...[...strangers.keys()].map((node) => [node, 'it sent records of other nodes'] as const),
    ...unjudged,
  ]);
}

/** Returns those of the nodes that are asked for. */
async function matching(
  journals: Journals,
  all: ReadonlyMap<string, string>,
  condition: string,
): Promise<Map<string, string>> {
  const names = [...all.keys()].map(literal).join(', ');
  const rows = await journals.rows(
    `SELECT node FROM (SELECT unnest([${names}]::VARCHAR[]) AS node) one WHERE ${condition}`,
  );
  const nodes = new Set(rows.map(([node]) => String(node)));
  return new Map([...all].filter(([node]) => nodes.has(node)));
}

/** Returns the numbers of the records in a table that has the columns NUMBERS, and `row`. */
function numberedIn(journals: Journals, records: string): Numbered {
  return {
    records,
    condition: 'true',
    rows: (sql) => journals.rows(sql),
    isExported: (row) => journals.placeOf(row).file.hasLogs,
  };
}

/** A command may answer without its scan: from SQL of the user. */
async function isThere(journals: Journals, table: string): Promise<boolean> {
  const names = NUMBERS.map((name) => `'${name}'`).join(', ');
  const rows = await journals.rows(
    `SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND column_name IN (${names})`,
    [table],
  );
  return rows.length === NUMBERS.length;
}
