import type { Json } from '../../record/exact-json.ts';
import { countBeyond, type Range } from '../ranges.ts';
import type { Answer, Tables } from './tables.ts';

/** The columns that withheldIn() needs. */
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
 * Returns how many records of each node rules withheld, and when that was reported. A repeat can cut the
 * same numbers differently, so that each number counts once.
 */
export async function withheldIn({ records, dialect, ask }: Tables): Promise<Answer> {
  const isWithheld = `"action" = 'journal.withheld'`;
  const nodes = await ask(
    `SELECT node, ${dialect.time('min("timestamp")')} AS "first",
       ${dialect.time('max("timestamp")')} AS "last"
     FROM ${records} AS one WHERE ${isWithheld} GROUP BY node ORDER BY node`,
  );
  const reports = await ask(
    `SELECT node, boot_id, withheld_hook_id, withheld_cpu, withheld_ranges
     FROM ${records} AS one WHERE ${isWithheld}`,
  );
  const counts = new Map<Json, bigint>();
  const byCpu = Map.groupBy(reports.rows, ([node, boot, hook, cpu]) =>
    [node, boot, hook, cpu].join(' '),
  );
  for (const rows of byCpu.values()) {
    const node = rows[0]?.[0] ?? null;
    const count = countBeyond(
      rows.flatMap(([, , , , ranges]) => rangesIn(ranges)),
      [],
    );
    counts.set(node, (counts.get(node) ?? 0n) + BigInt(count));
  }
  return {
    columns: ['node', 'records', 'first', 'last'],
    rows: nodes.rows.map(([node = null, ...times]) => [node, counts.get(node) ?? 0n, ...times]),
  };
}

function rangesIn(ranges: Json | undefined): Range[] {
  if (!Array.isArray(ranges)) return [];
  return ranges
    .map((range) => {
      const [first, last] = String(range).split('-');
      return { first: Number(first), last: Number(last) };
    })
    .filter(({ first, last }) => Number.isSafeInteger(first) && Number.isSafeInteger(last));
}
