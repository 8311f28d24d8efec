import type { Json } from '../../record/exact-json.ts';
import { timeSql } from '../columns.ts';
import { withNumbers } from '../completeness/files.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { jsonOf, printTable } from '../output/rows.ts';
import { paint, print } from '../output/stdout.ts';
import { WITHHELD_COLUMNS, withheldSql } from '../select/withheld.ts';

/** The options of `vcml stats`. */
export interface StatsOptions {
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

const TABLES: Readonly<Record<string, string>> = {
  records: `SELECT "action", count(*) AS records, count(DISTINCT node) AS nodes,
      ${timeSql('min("timestamp")')} AS "first", ${timeSql('max("timestamp")')} AS "last"
    FROM ${COUNTED} WHERE readable GROUP BY 1 ORDER BY 2 DESC`,
  withheld: withheldSql(COUNTED),
  pods: `SELECT count(*) AS execs, node, namespace, pod
    FROM execs_counted GROUP BY ALL ORDER BY 1 DESC, 2, 3, 4`,
  images: `SELECT count(*) AS execs, image
    FROM execs_counted WHERE image IS NOT NULL GROUP BY ALL ORDER BY 1 DESC, 2`,
  executables: `SELECT count(*) AS execs, coalesce(executable, "object") AS executable
    FROM execs_counted GROUP BY ALL ORDER BY 1 DESC, 2`,
  hours: `SELECT date_trunc('hour', ${timeSql('"timestamp"')}::TIMESTAMP) AS "hour",
      count(*) AS execs FROM execs_counted GROUP BY 1 ORDER BY 1`,
  parents: `SELECT children, left(parent.id, 8) AS id, parent.comm, parent.pid, parent.node, parent.executable
    FROM (SELECT parent_cause AS cause, count(*) AS children FROM execs_counted
      WHERE parent_cause IS NOT NULL GROUP BY 1)
    JOIN execs_counted parent ON parent.id = cause ORDER BY 1 DESC, 2`,
  first_seen: `SELECT ${timeSql('min("timestamp")')} AS "time", count(*) AS execs,
      left(arg_min(id, "timestamp"), 8) AS id, arg_min(node, "timestamp") AS node,
      arg_min(pod, "timestamp") AS pod, coalesce(executable, "object") AS executable
    FROM execs_counted GROUP BY ALL ORDER BY 1 DESC`,
};

/**
 * Prints records per pod, image, executable and hour, the busiest parents and the newest
 * executables.
 */
export async function stats(journals: Journals, options: StatsOptions): Promise<number> {
  const columns = withNumbers(journals, [...new Set(COLUMNS)]);
  await journals.scan(COUNTED, columns, ['id', ...columns]);
  await journals.rows(
    `CREATE VIEW execs_counted AS SELECT * FROM ${COUNTED} WHERE readable AND "action" = 'exec'`,
  );
  const all: Json[][] = [];
  for (const [name, sql] of Object.entries(TABLES)) {
    const reader = await journals.connection.runAndReadAll(`${sql} LIMIT ${options.top}`);
    const columns = reader.columnNames();
    const rows = reader.getRows().map((row) => row.map(jsonOf));
    if (name === 'withheld' && rows.length === 0) continue;
    if (options.output === 'text') {
      await print(`${paint('bold', name.replace('_', ' '))}\n`);
      await printTable({ columns, rows }, 'text');
      await print('\n');
    } else
      for (const row of rows)
        all.push([name, Object.fromEntries(row.map((value, i) => [columns[i] ?? '', value]))]);
  }
  if (options.output !== 'text')
    await printTable({ columns: ['what', 'details'], rows: all }, options.output);
  await printNotes(journals);
  return 0;
}
