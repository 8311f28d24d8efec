/** The views for `vcml query --sql`, notebooks and DuckDB itself; see docs/forensics.md. */

import { literal } from './columns.ts';

/**
 * Returns the statements that create the views over a SELECT of all columns, of the records for which a
 * condition over `records` holds; `shown` gives files the names that users know.
 */
export function viewsSql(
  from: string,
  shown: ReadonlyMap<string, string>,
  condition: string,
): string[] {
  const names = [...shown].map(([path, name]) => `${literal(path)}: ${literal(name)}`);
  const file = names.length === 0 ? 'file' : `coalesce(MAP {${names.join(', ')}}[file], file)`;
  return [
    `CREATE OR REPLACE VIEW records AS SELECT * REPLACE (${file} AS file)
     FROM (${from}) WHERE id IS NOT NULL AND ${condition}`,
    ...[...DERIVED].map(([name, sql]) => `CREATE OR REPLACE VIEW ${name} AS ${sql}`),
  ];
}

const DERIVED = new Map([
  ['execs', `SELECT * FROM records WHERE "action" = 'exec'`],
  [
    'gaps',
    `SELECT "time", node, namespace, pod, container, id, pid, uid, "object", executable,
       coalesce(gap_reason, 'unmarked') AS reason, gap_lost_cause, gap_ancestor_pid,
       gap_ancestor_comm, gap_ancestor_executable, file
     FROM records
     WHERE parent_cause IS NULL AND NOT starts_with(permitted_by, 'root_event')`,
  ],
  [
    'losses',
    `SELECT "time", node, loss_stage AS stage, coalesce(loss_boot_id, boot_id) AS boot_id,
       loss_hook_id AS hook_id, loss_cpu AS cpu, loss_first_seq AS first_seq,
       loss_last_seq AS last_seq, loss_count AS "count", loss_next_seq AS next_seq, id, file
     FROM records WHERE "action" = 'journal.loss'`,
  ],
  [
    'withheld',
    `SELECT "time", node, boot_id, withheld_hook_id AS hook_id, withheld_cpu AS cpu,
       try_cast(split_part(numbers, '-', 1) AS BIGINT) AS first_seq,
       try_cast(split_part(numbers, '-', 2) AS BIGINT) AS last_seq, id, file
     FROM (SELECT *, unnest(withheld_ranges) AS numbers FROM records
       WHERE "action" = 'journal.withheld')`,
  ],
  [
    'runs',
    `SELECT "time", node, "action", hook_state, boot_id, hook_id, hook_next_seq, agent_version,
       journal_records, journal_gaps, journal_losses, id, file
     FROM records WHERE "action" IN ('journal.start', 'journal.stop')`,
  ],
]);
