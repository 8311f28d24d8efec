import type { DuckDBValue } from '@duckdb/node-api';
import type { TimeRange } from '../select/filter.ts';
import type { NodeFacts } from './node.ts';
import { type Cpu, emptyCpu, type Hook, isOfTime, numbersOf } from './numbers.ts';

/** Records with the columns NUMBERS (files.ts). */
export interface Numbered {
  /** a table in SQL, with `row` */
  readonly records: string;
  /** a condition for records that count */
  readonly condition: string;
  /** ranges of numbers that execs have, as a table in SQL; undefined: the table has every exec */
  readonly ranges?: string;
  rows(sql: string): Promise<DuckDBValue[][]>;
  /** Whether an agent exported the record in a row, which may have withheld others. */
  isExported(row: number): boolean;
  /**
   * The records are those of a time, and some around it. Of these nodes, not everything behind the time
   * was searched for them. undefined: the records are all that there are
   */
  readonly unsearched?: ReadonlySet<string>;
}

/** Returns what the numbers of records say about each node at a time. */
export async function nodeFactsIn(
  numbered: Numbered,
  { since, until }: TimeRange,
): Promise<NodeFacts[]> {
  const { unsearched } = numbered;
  const records = `(SELECT * FROM ${numbered.records}
    WHERE node IS NOT NULL AND "timestamp" IS NOT NULL AND boot_id IS NOT NULL
      AND ${numbered.condition})`;
  const isBefore = since === undefined ? 'false' : `"timestamp" < ${since}`;
  const isBehind = until === undefined ? 'false' : `"timestamp" >= ${until}`;
  const cpus = new Map<string, Cpu>();
  const cpuOf = (hook: string, cpu: unknown): Cpu => {
    const key = `${hook}/${cpu}`;
    const known = cpus.get(key) ?? emptyCpu(hook);
    cpus.set(key, known);
    return known;
  };
  const execs = await numbered.rows(
    `SELECT concat_ws('/', node, boot_id, hook_id), cpu, min(first_seq), max(last_seq),
       max(last_seq) FILTER (${isBefore}), min(first_seq) FILTER (${isBehind})
     FROM (SELECT * FROM ${numbered.ranges ?? rangesSql(records)} WHERE ${numbered.condition}) one
     GROUP BY node, boot_id, hook_id, cpu, part`,
  );
  for (const [hook, cpu, first, last, before, behind] of execs) {
    const one = cpuOf(String(hook), cpu);
    one.received.push({ first: Number(first), last: Number(last) });
    if (before !== null) one.before = Math.max(one.before ?? 0, Number(before));
    if (behind !== null)
      one.behind = Math.min(one.behind ?? Number.POSITIVE_INFINITY, Number(behind));
  }
  // Nobody asks for what was deleted, which is before the time.
  const deleted = unsearched === undefined ? '' : ` AND loss_stage <> 'retention'`;
  const told = await numbered.rows(
    `SELECT 'lost', concat_ws('/', node, boot_id, loss_hook_id), loss_cpu, loss_first_seq, loss_last_seq
     FROM ${records} one WHERE "action" = 'journal.loss' AND loss_first_seq IS NOT NULL${deleted}
     UNION ALL
     SELECT 'withheld', concat_ws('/', node, boot_id, withheld_hook_id), withheld_cpu,
       try_cast(split_part(numbers, '-', 1) AS BIGINT), try_cast(split_part(numbers, '-', 2) AS BIGINT)
     FROM (SELECT *, unnest(withheld_ranges) AS numbers FROM ${records} one
       WHERE "action" = 'journal.withheld')`,
  );
  for (const [kind, hook, cpu, first, last] of told)
    cpuOf(String(hook), cpu)[kind === 'lost' ? 'lost' : 'withheld'].push({
      first: Number(first),
      last: Number(last),
    });
  const hooks = await hooksOf(numbered, records);
  const nodes = await numbered.rows(
    `SELECT node, min("timestamp"), max("timestamp"), count(*) FILTER ("action" = 'journal.loss'
         AND loss_first_seq IS NULL AND NOT (${isBefore}) AND NOT (${isBehind}))
     FROM ${records} one GROUP BY node ORDER BY node`,
  );
  return nodes.map(([node, first, last, unknownLosses]) => ({
    node: String(node),
    first: BigInt(first as bigint),
    last: BigInt(last as bigint),
    unknownLosses: Number(unknownLosses),
    cpus: [...cpus].flatMap(([key, cpu]) => {
      const hook = hooks.get(cpu.hook);
      if (hook === undefined || hook.node !== String(node)) return [];
      if (!isOfTime(hook, { since, until })) return [];
      const lacking = unsearched && {
        before: since !== undefined && hook.first < since,
        behind: until !== undefined && hook.last >= until && unsearched.has(hook.node),
      };
      return [numbersOf(cpu, hook, Number(key.slice(key.lastIndexOf('/') + 1)), lacking)];
    }),
  }));
}

/** Returns the query for the number of each exec; numbers without a hole have the same `part`. */
export function rangesSql(records: string): string {
  return `(SELECT *, seq AS first_seq, seq AS last_seq, seq - row_number()
      OVER (PARTITION BY node, boot_id, hook_id, cpu ORDER BY seq) AS part
    FROM ${records} one WHERE "action" = 'exec' AND seq > 0 AND cpu IS NOT NULL)`;
}

async function hooksOf(numbered: Numbered, records: string): Promise<Map<string, Hook>> {
  const rows = await numbered.rows(
    `SELECT concat_ws('/', node, boot_id, hook_id), node, min("timestamp"), max("timestamp")
     FROM ${records} one WHERE hook_id IS NOT NULL GROUP BY ALL`,
  );
  const hooks = new Map(
    rows.map(([key, node, first, last]): [string, Hook] => [
      String(key),
      {
        node: String(node),
        first: BigInt(first as bigint),
        last: BigInt(last as bigint),
        nextSeq: undefined,
        isUntold: false,
      },
    ]),
  );
  const starts = await numbered.rows(
    `SELECT row, concat_ws('/', node, boot_id, hook_id), format_version,
       to_json(hook_next_seq)::VARCHAR
     FROM ${records} one WHERE "action" = 'journal.start' ORDER BY "timestamp", row`,
  );
  for (const [row, key, format, next] of starts) {
    const hook = hooks.get(String(key));
    if (hook === undefined) continue;
    hook.nextSeq ??= next === null ? [] : JSON.parse(String(next));
    hook.isUntold ||= Number(format) < 2 && numbered.isExported(Number(row));
  }
  return hooks;
}
