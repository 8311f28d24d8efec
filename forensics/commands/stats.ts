import type { Json } from '../../record/exact-json.ts';
import { withNumbers } from '../completeness/files.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { printTable } from '../output/rows.ts';
import { paint, print } from '../output/stdout.ts';
import { type Times, within } from '../select/filter.ts';
import { type Answer, type Tables, tablesIn } from '../select/tables.ts';
import { WITHHELD_COLUMNS, withheldIn } from '../select/withheld.ts';

/** The options of `vcml stats`. */
export interface StatsOptions extends Times {
  readonly output: Form;
  /** the number of rows in a table */
  readonly top: number;
}

/** The table that stats() scans. */
export const COUNTED = 'counted';

const COLUMNS = [
  'timestamp',
  'node',
  'namespace',
  'pod',
  'image',
  'executable',
  'object',
  'action',
  'comm',
  'pid',
  'parent_cause',
  ...WITHHELD_COLUMNS,
];

/** The number of records by something: one table for each question. */
const TABLES: Readonly<
  Record<string, (tables: Tables, execs: string, end: string) => Promise<Answer>>
> = {
  records: ({ records, dialect, ask }, _, end) =>
    ask(`SELECT "action", count(*) AS records, count(DISTINCT node) AS nodes,
      ${dialect.time('min("timestamp")')} AS "first", ${dialect.time('max("timestamp")')} AS "last"
    FROM ${records} AS one GROUP BY 1 ORDER BY 2 DESC, 1 ${end}`),
  withheld: withheldIn,
  pods: ({ ask }, execs, end) =>
    ask(`SELECT count(*) AS execs, node, namespace, pod
    FROM ${execs} AS one GROUP BY ALL ORDER BY 1 DESC, 2, 3, 4 ${end}`),
  images: ({ ask }, execs, end) =>
    ask(`SELECT count(*) AS execs, image
    FROM ${execs} AS one WHERE image IS NOT NULL GROUP BY ALL ORDER BY 1 DESC, 2 ${end}`),
  executables: ({ ask }, execs, end) =>
    ask(`SELECT count(*) AS execs, coalesce(executable, "object") AS program
    FROM ${execs} AS one GROUP BY ALL ORDER BY 1 DESC, 2 ${end}`),
  hours: ({ dialect, ask }, execs, end) =>
    ask(`SELECT ${dialect.time(`began * ${HOUR}`)} AS "hour", count(*) AS execs
    FROM (SELECT ${dialect.divided(dialect.wide('"timestamp"'), HOUR)} AS began FROM ${execs} AS one) AS hours
    GROUP BY began ORDER BY began ${end}`),
  parents: ({ dialect, ask }, execs, end) =>
    ask(`SELECT children, left(${dialect.text('parent.id')}, 8) AS short_id, parent.comm AS comm,
      parent.pid AS pid, parent.node AS node, parent.executable AS executable
    FROM ${execs} AS parent ${dialect.join} (SELECT parent_cause AS cause, count(*) AS children
      FROM ${execs} AS one WHERE parent_cause IS NOT NULL GROUP BY 1) AS child
      ON parent.id = child.cause ORDER BY 1 DESC, ${dialect.text('parent.id')} ${end}`),
  first_seen: ({ dialect, ask }, execs, end) =>
    ask(`SELECT ${dialect.time('min("timestamp")')} AS "time", count(*) AS execs,
      left(${dialect.earliest(dialect.text('id'))}, 8) AS short_id,
      ${dialect.earliest('node')} AS first_node, ${dialect.earliest('pod')} AS first_pod,
      coalesce(executable, "object") AS program
    FROM ${execs} AS one GROUP BY program ORDER BY 1 DESC, 6 ${end}`),
};

/** The names of columns; engines confuse those that are also columns of the records. */
const NAMES: Readonly<Record<string, string>> = {
  program: 'executable',
  short_id: 'id',
  first_node: 'node',
  first_pod: 'pod',
};
const HOUR = 3_600_000_000_000n;

/**
 * Prints records per pod, image, executable and hour, the busiest parents and the newest
 * executables.
 */
export async function stats(journals: Journals, options: StatsOptions): Promise<number> {
  const columns = withNumbers(journals, [...new Set(COLUMNS)]);
  await journals.scan(COUNTED, columns, ['id', ...columns]);
  await printStats(tablesIn(journals, COUNTED, within(options)), options);
  await printNotes(journals);
  return 0;
}

/** Prints how many records there are. */
export async function printStats(tables: Tables, { output, top }: StatsOptions): Promise<void> {
  const execs = `(SELECT * FROM ${tables.records} AS any_record WHERE "action" = 'exec')`;
  const all: Json[][] = [];
  for (const [name, tableOf] of Object.entries(TABLES)) {
    const { columns: given, rows: every } = await tableOf(tables, execs, `LIMIT ${top}`);
    const columns = given.map((column) => NAMES[column] ?? column);
    const rows = every.slice(0, top);
    if (name === 'withheld' && rows.length === 0) continue;
    if (output === 'text') {
      await print(`${paint('bold', name.replace('_', ' '))}\n`);
      await printTable({ columns, rows }, 'text');
      await print('\n');
    } else
      for (const row of rows)
        all.push([name, Object.fromEntries(row.map((value, i) => [columns[i] ?? '', value]))]);
  }
  if (output !== 'text') await printTable({ columns: ['what', 'details'], rows: all }, output);
}
