import type { Json } from '../../record/exact-json.ts';
import { visible } from '../../record/visible.ts';
import { withNumbers } from '../completeness/files.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { notesOf } from '../output/notes.ts';
import { printTable } from '../output/rows.ts';
import { paint, print } from '../output/stdout.ts';
import { type Times, within } from '../select/filter.ts';
import { type Answer, type Tables, tablesIn } from '../select/tables.ts';
import { WITHHELD_COLUMNS, withheldIn } from '../select/withheld.ts';

/** The options of `vcml gaps`. */
export interface GapsOptions extends Times {
  readonly output: Form;
  /** the number of seconds without a record of a node that is reported */
  readonly silence: number;
}

/** The table that gaps() scans. */
export const HOLES = 'holes';

const NANOSECONDS = 1_000_000_000n;
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
const TABLES: Readonly<Record<string, (tables: Tables, options: GapsOptions) => Promise<Answer>>> =
  {
    gaps: ({ records, dialect, ask }) =>
      ask(`SELECT coalesce(gap_reason, 'unmarked') AS reason, node, namespace, pod, container,
      count(*) AS gaps, ${dialect.time('min("timestamp")')} AS "first",
      ${dialect.time('max("timestamp")')} AS "last"
    FROM ${records} AS one
    WHERE parent_cause IS NULL AND coalesce(left(permitted_by, 10), '') <> 'root_event'
    GROUP BY ALL ORDER BY gaps DESC, 1, 2, 3, 4, 5`),
    losses: ({ records, dialect, ask }) =>
      ask(`SELECT ${dialect.time('"timestamp"')} AS "time", node, loss_stage AS stage,
      loss_count AS records, loss_cpu AS cpu, loss_first_seq AS first_seq,
      loss_last_seq AS last_seq, loss_hook_id AS hook, ${dialect.text('loss_boot_id')} AS boot_before
    FROM ${records} AS one WHERE "action" = 'journal.loss' ORDER BY node, "timestamp"`),
    withheld: withheldIn,
    silences: ({ records, dialect, ask }, { silence }) =>
      ask(`SELECT node, ${dialect.time('before')} AS "from",
      ${dialect.time('"timestamp"')} AS "to",
      ${dialect.divided(`${dialect.wide('"timestamp"')} - before`, NANOSECONDS)} AS seconds,
      CASE WHEN coalesce(boot_id <> boot_before, boot_id IS NOT NULL OR boot_before IS NOT NULL)
          THEN 'reboot'
        WHEN "action" = 'journal.start' THEN concat('no agent was running; the hook is ', coalesce(hook_state, ''))
        WHEN "action" = 'journal.loss' THEN 'records were lost'
        ELSE 'nothing was executed' END AS because
    FROM (SELECT node, "timestamp", "action", boot_id, hook_state,
        ${dialect.before('"timestamp"')} OVER w AS before,
        ${dialect.before('boot_id')} OVER w AS boot_before
      FROM ${records} AS one WINDOW w AS (PARTITION BY node ORDER BY "timestamp")) AS silent
    WHERE ${dialect.divided(`${dialect.wide('"timestamp"')} - before`, NANOSECONDS)} >= ${silence}
    ORDER BY node, before`),
  };

/** Prints gaps by reason and place, losses with their ranges, silent times, and torn files. */
export async function gaps(journals: Journals, options: GapsOptions): Promise<number> {
  await journals.scan(HOLES, withNumbers(journals, [...new Set(COLUMNS)]));
  const files = { count: journals.files.length, notes: await notesOf(journals) };
  await printGaps(tablesIn(journals, HOLES, within(options)), options, files);
  return 0;
}

/** Prints what is missing among records. */
export async function printGaps(
  tables: Tables,
  options: GapsOptions,
  files?: { readonly count: number; readonly notes: readonly string[] },
): Promise<void> {
  const all: Record<string, Json> = {};
  for (const [name, tableOf] of Object.entries(TABLES)) {
    const { columns, rows } = await tableOf(tables, options);
    // Only an export withholds records, and few have rules.
    const isShown = name !== 'withheld' || rows.length > 0;
    if (options.output === 'text' && isShown) await printSection(name, columns, rows);
    all[name] = rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [columns[i] ?? '', value])),
    );
  }
  const notes = files?.notes ?? [];
  if (options.output === 'text') {
    if (files === undefined) return;
    await print(`${paint('bold', 'files')}\n`);
    await print(notes.length === 0 ? `  all whole (${files.count})\n` : '');
    for (const note of notes) await print(`  ${note}\n`);
    return;
  }
  const columns = ['what', 'details'];
  const rows = [
    ...Object.entries(all).flatMap(([what, list]) => (list as Json[]).map((one) => [what, one])),
  ];
  await printTable(
    { columns, rows: [...rows, ...notes.map((note) => ['file', { note }])] },
    options.output,
  );
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
