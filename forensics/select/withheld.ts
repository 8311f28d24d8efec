import { timeSql } from '../columns.ts';

/** The columns that withheldSql() needs. */
export const WITHHELD_COLUMNS = [
  'timestamp',
  'node',
  'action',
  'boot_id',
  'withheld_hook_id',
  'withheld_cpu',
  'withheld_ranges',
];

/**
 * Returns a SELECT of how many records of each node rules withheld, from a scanned table. A repeat
 * can cut the same numbers differently, so that each number counts once.
 */
export function withheldSql(table: string): string {
  return `WITH told AS (
      SELECT node, boot_id, withheld_hook_id, withheld_cpu, "timestamp",
        unnest(withheld_ranges) AS numbers
      FROM ${table} WHERE readable AND "action" = 'journal.withheld'),
    range AS (
      SELECT *, try_cast(split_part(numbers, '-', 1) AS HUGEINT) AS first_seq,
        try_cast(split_part(numbers, '-', 2) AS HUGEINT) AS last_seq
      FROM told),
    behind AS (
      SELECT *, greatest(first_seq, 1 + max(last_seq) OVER (
          PARTITION BY node, boot_id, withheld_hook_id, withheld_cpu ORDER BY first_seq, last_seq
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS from_seq
      FROM range)
    SELECT node, sum(greatest(0, last_seq - from_seq + 1))::BIGINT AS records,
      ${timeSql('min("timestamp")')} AS "first", ${timeSql('max("timestamp")')} AS "last"
    FROM behind GROUP BY node ORDER BY node`;
}
