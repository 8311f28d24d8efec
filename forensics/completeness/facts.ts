import type { DuckDBValue } from '@duckdb/node-api';
import type { TimeRange } from '../select/filter.ts';
import { latestAt, type NodeFacts } from './node.ts';
import {
  type Cpu,
  emptyCpu,
  type Hook,
  isOfTime,
  isOnlyNamed,
  leastOf,
  numbersOf,
  type Stamped,
} from './numbers.ts';

/** Records with the columns NUMBERS (files.ts). */
export interface Numbered {
  /** a table in SQL, with `row` */
  readonly records: string;
  /** a condition for records that count */
  readonly condition: string;
  /**
   * ranges of numbers that execs have within an hour, as a table in SQL, for whole hours; undefined: the
   * table has every exec
   */
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

const MAX_NS = 2n ** 63n - 1n;

/** The name of the hook of a record. */
const HOOK = `concat_ws('/', node, boot_id, hook_id)`;

/** Returns what the numbers of records say about each node at a time; it is `nowMs` on this machine. */
export async function nodeFactsIn(
  numbered: Numbered,
  { since, until }: TimeRange,
  nowMs = Date.now(),
): Promise<NodeFacts[]> {
  const { unsearched } = numbered;
  const records = `(SELECT * FROM ${numbered.records}
    WHERE node IS NOT NULL AND "timestamp" IS NOT NULL AND boot_id IS NOT NULL
      AND ${numbered.condition})`;
  const isBefore = since === undefined ? 'false' : `"timestamp" < ${since}`;
  const isBehind = until === undefined ? 'false' : `"timestamp" >= ${until}`;
  const part = `CASE WHEN ${isBefore} THEN -1 WHEN ${isBehind} THEN 1 ELSE 0 END`;
  const cpus = new Map<string, Cpu>();
  const cpuOf = (hook: string, cpu: unknown): Cpu => {
    const key = `${hook}/${cpu}`;
    const known = cpus.get(key) ?? emptyCpu(hook);
    cpus.set(key, known);
    return known;
  };
  const execs = await numbered.rows(
    numbered.ranges === undefined
      ? `SELECT ${HOOK}, cpu, min(first_seq), max(last_seq), part
         FROM ${rangesSql(records, part)} one GROUP BY node, boot_id, hook_id, cpu, part, island`
      : `SELECT ${HOOK}, cpu, first_seq, last_seq, ${part}
         FROM ${numbered.ranges} one WHERE ${numbered.condition}`,
  );
  for (const [hook, cpu, first, last, at] of execs) {
    const one = cpuOf(String(hook), cpu);
    const range = { first: Number(first), last: Number(last), part: Number(at) };
    one.received.push(range);
    one.stretches.push(range);
  }
  // Nobody asks for what was deleted, which is before the time.
  const deleted = unsearched === undefined ? '' : ` AND loss_stage <> 'retention'`;
  const lost = await numbered.rows(
    `SELECT concat_ws('/', node, boot_id, loss_hook_id), loss_cpu, loss_first_seq, loss_last_seq,
       ${part}, loss_stage = 'retention'
     FROM ${records} one WHERE "action" = 'journal.loss' AND loss_first_seq IS NOT NULL${deleted}`,
  );
  for (const [hook, cpu, first, last, at, isDeleted] of lost)
    cpuOf(String(hook), cpu)[isDeleted === true ? 'deleted' : 'lost'].push({
      first: Number(first),
      last: Number(last),
      part: Number(at),
    });
  const withheld = await numbered.rows(
    `SELECT hook, withheld_cpu, numbers[1], numbers[2], part, numbers[2] = highest
     FROM (SELECT *, unnest(ranges) AS numbers, list_max(list_transform(ranges, lambda one: one[2])) AS highest
       FROM (SELECT concat_ws('/', node, boot_id, withheld_hook_id) AS hook, withheld_cpu, ${part} AS part,
           list_transform(withheld_ranges, lambda one:
             [try_cast(split_part(one, '-', 1) AS BIGINT), try_cast(split_part(one, '-', 2) AS BIGINT)])
             AS ranges
         FROM ${records} one WHERE "action" = 'journal.withheld') two) three`,
  );
  for (const [hook, cpu, first, last, at, isLast] of withheld)
    cpuOf(String(hook), cpu).withheld.push({
      first: Number(first),
      last: Number(last),
      part: Number(at),
      isLast: isLast === true,
    });
  const hooks = await hooksOf(numbered, records, part, (hook, cpu, begun) =>
    cpuOf(hook, cpu).begun.push(begun),
  );
  const nodes = await numbered.rows(
    `SELECT node, min("timestamp"),
       max("timestamp") FILTER ("timestamp" <= ${latestAt(nowMs)}), max("timestamp")
     FROM ${records} one GROUP BY node ORDER BY node`,
  );
  const untold = await untoldIn(numbered, records, { since, until });
  return nodes.map(([node, first, last, latest]) => ({
    node: String(node),
    first: BigInt(first as bigint),
    last: last === null ? undefined : BigInt(last as bigint),
    ...(last !== latest && { ahead: BigInt(latest as bigint) }),
    ...(untold.get(String(node)) ?? { unknownLosses: 0 }),
    cpus: [...cpus].flatMap(([key, cpu]) => {
      const hook = hooks.get(cpu.hook);
      if (hook === undefined || hook.node !== String(node)) return [];
      if (!isOfTime(hook, { since, until })) return [];
      const lacking = unsearched && {
        before: since !== undefined && (hook.first ?? 0n) < since,
        behind: until !== undefined && hook.last >= until && unsearched.has(hook.node),
      };
      const numbers = numbersOf(cpu, hook, Number(key.slice(key.lastIndexOf('/') + 1)), 0, lacking);
      return isOnlyNamed(cpu) && numbers.asked.length === 0 ? [] : [numbers];
    }),
  }));
}

/**
 * Returns the query for the number of each exec, with its part of the time. Numbers of a part without a
 * hole between them have the same `island`.
 */
export function rangesSql(records: string, part: string): string {
  return `(SELECT *, seq AS first_seq, seq AS last_seq, seq - row_number()
      OVER (PARTITION BY node, boot_id, hook_id, cpu, part ORDER BY seq) AS island
    FROM (SELECT *, ${part} AS part
      FROM ${records} one WHERE "action" = 'exec' AND seq > 0 AND cpu IS NOT NULL) two)`;
}

/**
 * Returns how many losses of an unknown number nodes have at a time, and since when they had no hook in
 * it. What was lost at the end of a boot may be of any time from its last record to the report. Nobody knows
 * what was executed from the time when an agent detached its hook to the next start.
 */
async function untoldIn(
  numbered: Numbered,
  records: string,
  { since, until }: TimeRange,
): Promise<ReadonlyMap<string, Pick<NodeFacts, 'unknownLosses' | 'unhooked'>>> {
  const isAsked = [
    ...(since === undefined ? [] : [`greatest(reported, ended) >= ${since}`]),
    ...(until === undefined ? [] : [`least(reported, ended) < ${until}`]),
  ];
  const rows = await numbered.rows(
    `SELECT node, count(*) FILTER (NOT is_unhooked), min(ended) FILTER (is_unhooked)
     FROM (SELECT loss.node AS node, false AS is_unhooked, loss."timestamp" AS reported,
         coalesce(boot.last, loss."timestamp") AS ended
       FROM ${records} loss
       LEFT JOIN (SELECT node, boot_id, max("timestamp") AS last FROM ${records} one GROUP BY node, boot_id) boot
         ON boot.node = loss.node AND boot.boot_id = loss.loss_boot_id
       WHERE loss."action" = 'journal.loss' AND loss.loss_first_seq IS NULL
       UNION ALL
       SELECT node, true, coalesce(next, ${MAX_NS}), "timestamp"
       FROM (SELECT node, "action", "timestamp", hook_state,
           lead("timestamp") OVER (PARTITION BY node ORDER BY "timestamp", row) AS next
         FROM ${records} one WHERE "action" IN ('journal.start', 'journal.stop')) three
       WHERE "action" = 'journal.stop' AND hook_state = 'detached') two
     WHERE ${isAsked.join(' AND ') || 'true'} GROUP BY node`,
  );
  return new Map(
    rows.map(([node, losses, unhooked]) => [
      String(node),
      {
        unknownLosses: Number(losses),
        ...(unhooked !== null && { unhooked: BigInt(unhooked as bigint) }),
      },
    ]),
  );
}

/** Returns every hook that a record is of, or about. */
async function hooksOf(
  numbered: Numbered,
  records: string,
  part: string,
  onBegun: (hook: string, cpu: number, begun: Stamped) => void,
): Promise<Map<string, Hook>> {
  const rows = await numbered.rows(
    `SELECT hook, node, min("timestamp") FILTER (is_own), max("timestamp")
     FROM (
       SELECT ${HOOK} AS hook, node, "timestamp", true AS is_own
       FROM ${records} one WHERE hook_id IS NOT NULL
       UNION ALL
       SELECT concat_ws('/', node, boot_id, coalesce(loss_hook_id, withheld_hook_id)), node, "timestamp", false
       FROM ${records} one WHERE coalesce(loss_hook_id, withheld_hook_id) IS NOT NULL) two
     GROUP BY hook, node`,
  );
  const hooks = new Map(
    rows.map(([key, node, first, last]): [string, Hook] => [
      String(key),
      {
        node: String(node),
        first: first === null ? undefined : BigInt(first as bigint),
        last: BigInt(last as bigint),
        nextSeq: undefined,
        isUntold: false,
      },
    ]),
  );
  const starts = await numbered.rows(
    `SELECT row, ${HOOK}, format_version, to_json(hook_next_seq)::VARCHAR, ${part}
     FROM ${records} one WHERE "action" = 'journal.start'`,
  );
  const expected = new Map<Hook, (readonly number[])[]>();
  for (const [row, key, format, next, at] of starts) {
    const hook = hooks.get(String(key));
    if (hook === undefined) continue;
    const known = expected.get(hook) ?? [];
    expected.set(hook, known);
    const numbers: number[] = next === null ? [] : JSON.parse(String(next));
    known.push(numbers);
    for (const [cpu, one] of numbers.entries())
      onBegun(String(key), cpu, { first: one - 1, last: one - 1, part: Number(at) });
    hook.isUntold ||= Number(format) < 2 && numbered.isExported(Number(row));
  }
  for (const [hook, next] of expected) hook.nextSeq = leastOf(next);
  return hooks;
}
