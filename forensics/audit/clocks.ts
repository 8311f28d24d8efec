import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';

/** Later times cannot be subtracted from each other as 64-bit integers. */
const MAX_NS = 2n ** 62n;

/**
 * Columns of the times of a line: the distance of the two clocks, and the age of the process. The
 * agent computes the time of the exec and that of the process's creation with the same distance, so
 * that the age is right whenever the wall clock was set.
 */
export const CLOCKS = [
  `CASE WHEN boot_ns BETWEEN 0 AND ${MAX_NS} AND unix_ns BETWEEN 0 AND ${MAX_NS}
   THEN unix_ns - boot_ns END AS wall`,
  `CASE WHEN created BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2200-01-01'
   THEN unix_ns // 1000 - epoch_us(created) END AS age_us`,
];

/** The agent keeps a distance until it has changed by more than this. */
const KEPT_NS = 1_000_000;
/** Nobody sets a clock and then sets it back to the same nanosecond within this time. */
const BACK_NS = 1_000_000_000;

/**
 * Finds lines with another wall clock than the lines before and behind them. A clock that was set
 * has another distance from then on, because the agent measures it again and no two measurements
 * are equal to the nanosecond. So a distance occurs in lines that are behind each other.
 */
export async function clockFindings(journals: Journals): Promise<Finding[]> {
  const rows = await journals.rows(
    `WITH exec AS (SELECT *, rowid AS row FROM audited WHERE is_exec AND wall IS NOT NULL),
     distance AS (
       SELECT file, boot, hook, min(row) AS first, max(row) AS last FROM exec
       GROUP BY file, boot, hook, wall),
     mixed AS (
       SELECT DISTINCT file, boot, hook FROM (
         SELECT file, boot, hook, first, max(last) OVER (PARTITION BY file, boot, hook ORDER BY first
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM distance)
       WHERE first < before),
     neighbor AS (
       SELECT file, boot, hook, row, wall, boot_time, lag(wall) OVER line AS former,
         lag(boot_time) OVER line AS since
       FROM exec SEMI JOIN mixed USING (file, boot, hook)
       WINDOW line AS (PARTITION BY file, boot, hook ORDER BY row)),
     turn AS (
       SELECT *, lead(wall) OVER line AS later, lead(boot_time) OVER line AS until
       FROM neighbor WHERE wall <> former
       WINDOW line AS (PARTITION BY file, boot, hook ORDER BY row))
     SELECT row, wall - former FROM turn
     WHERE former = later AND until - since <= ${BACK_NS} AND abs(wall - former) > ${KEPT_NS}`,
  );
  return rows.map(([row, off]) => ({
    code: 'CLOCK',
    row: Number(row),
    more: `it is off by ${Number(off) / 1e9} s`,
  }));
}
