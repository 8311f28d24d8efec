import type { Json } from '../../record/exact-json.ts';
import { visible } from '../../record/visible.ts';
import { timeSql } from '../columns.ts';
import { withNumbers } from '../completeness/files.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { notesOf } from '../output/notes.ts';
import { jsonOf, printTable } from '../output/rows.ts';
import { paint, print } from '../output/stdout.ts';
import { WITHHELD_COLUMNS, withheldSql } from '../select/withheld.ts';

/** The options of `vcml gaps`. */
export interface GapsOptions {
  readonly output: Form;
  /** the number of seconds without a record of a node that is reported */
  readonly silence: number;
}

/** The table that gaps() scans. */
export const HOLES = 'holes';

const COLUMNS = [
  'timestamp',
  'node',
  'namespace',
  'pod',
  'container',
  'permitted_by',
  'parent_cause',
  'gap_reason',
  'action',
  'loss_stage',
  'loss_cpu',
  'loss_first_seq',
  'loss_last_seq',
  'loss_count',
  'loss_hook_id',
  'loss_boot_id',
  'boot_id',
  'hook_state',
  ...WITHHELD_COLUMNS,
];

/** What is missing: one table for each question. */
const TABLES: Readonly<Record<string, (options: GapsOptions) => string>> = {
  gaps: () => `SELECT coalesce(gap_reason, 'unmarked') AS reason, node, namespace, pod, container,
      count(*) AS gaps, ${timeSql('min("timestamp")')} AS "first",
      ${timeSql('max("timestamp")')} AS "last"
    FROM ${HOLES} WHERE readable AND parent_cause IS NULL AND NOT starts_with(permitted_by, 'root_event')
    GROUP BY ALL ORDER BY gaps DESC, 1, 2, 3, 4, 5`,
  losses: () => `SELECT ${timeSql('"timestamp"')} AS "time", node, loss_stage AS stage,
      loss_count AS records, loss_cpu AS cpu, loss_first_seq AS first_seq,
      loss_last_seq AS last_seq, loss_hook_id AS hook, loss_boot_id AS boot_before
    FROM ${HOLES} WHERE readable AND "action" = 'journal.loss' ORDER BY node, "timestamp"`,
  withheld: () => withheldSql(HOLES),
  silences: ({ silence }) => `SELECT node, ${timeSql('before')} AS "from",
      ${timeSql('"timestamp"')} AS "to", ("timestamp"::HUGEINT - before) // 1000000000 AS seconds,
      CASE WHEN boot_id IS DISTINCT FROM boot_before THEN 'reboot'
        WHEN "action" = 'journal.start' THEN concat('no agent was running; the hook is ', hook_state)
        WHEN "action" = 'journal.loss' THEN 'records were lost'
        ELSE 'nothing was executed' END AS because
    FROM (SELECT *, lag("timestamp") OVER w AS before, lag(boot_id) OVER w AS boot_before
      FROM ${HOLES} WHERE readable WINDOW w AS (PARTITION BY node ORDER BY "timestamp"))
    WHERE "timestamp"::HUGEINT - before >= ${BigInt(silence) * 1_000_000_000n} ORDER BY node, before`,
};

/** Prints gaps by reason and place, losses with their ranges, silent times, and torn files. */
export async function gaps(journals: Journals, options: GapsOptions): Promise<number> {
  await journals.scan(HOLES, withNumbers(journals, [...new Set(COLUMNS)]));
  const all: Record<string, Json> = {};
  for (const [name, sql] of Object.entries(TABLES)) {
    const reader = await journals.connection.runAndReadAll(sql(options));
    const columns = reader.columnNames();
    const rows = reader.getRows().map((row) => row.map(jsonOf));
    // Only an export withholds records, and few have rules.
    const isShown = name !== 'withheld' || rows.length > 0;
    if (options.output === 'text' && isShown) await printSection(name, columns, rows);
    all[name] = rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [columns[i] ?? '', value])),
    );
  }
  const notes = await notesOf(journals);
  if (options.output === 'text') {
    await print(`${paint('bold', 'files')}\n`);
    await print(notes.length === 0 ? `  all whole (${journals.files.length})\n` : '');
    for (const note of notes) await print(`  ${note}\n`);
    return 0;
  }
  const columns = ['what', 'details'];
  const rows = [
    ...Object.entries(all).flatMap(([what, list]) => (list as Json[]).map((one) => [what, one])),
  ];
  await printTable(
    { columns, rows: [...rows, ...notes.map((note) => ['file', { note }])] },
    options.output,
  );
  return 0;
}

/** Leaves out columns that are empty in every row. */
async function printSection(name: string, columns: readonly string[], rows: readonly Json[][]) {
  await print(`${paint('bold', visible(name))}\n`);
  if (rows.length === 0) return print('  none\n');
  const used = columns.map((_, i) => rows.some((row) => row[i] !== null));
  const kept = <T>(row: readonly T[]) => row.filter((_, i) => used[i]);
  await printTable(
    { columns: kept(columns), rows: rows.map((row) => kept(row).map(seconds)) },
    'text',
  );
}

/** Shortens times to the millisecond, so that more columns fit. */
function seconds(value: Json): Json {
  return typeof value === 'string' ? value.replace(/(\d\d:\d\d:\d\d\.\d{3})\d{6}$/, '$1') : value;
}
