import type { Journals } from '../journals.ts';
import { conditionOf, type Selection, timeRangeOf } from '../select/filter.ts';
import type { NodeFacts } from './node.ts';
import { type Cpu, type Hook, isOfTime, numbersOf } from './numbers.ts';
import { completenessOf } from './sentence.ts';

const NUMBERS = [
  'timestamp',
  'node',
  'boot_id',
  'hook_id',
  'cpu',
  'seq',
  'action',
  'format_version',
  'hook_next_seq',
  'loss_stage',
  'loss_hook_id',
  'loss_cpu',
  'loss_first_seq',
  'loss_last_seq',
  'withheld_hook_id',
  'withheld_cpu',
  'withheld_ranges',
];

/** An answer from one journal may need few of its lines, and the numbers are in all of them. */
const NOT_JUDGED =
  'complete: not judged, because that takes reading the whole journal; `vcml gaps` does';

/** What a selection says about nodes and times. */
type AskedFor = Pick<Selection, 'since' | 'until' | 'node'>;

/**
 * Returns the columns of a scan with those that completenessIn() needs, so that the inputs are read
 * once. Where an index may narrow the answer to some lines of one journal, they are of no use.
 */
export function withNumbers(
  journals: Journals,
  columns: readonly string[],
  mayBeNarrowed = false,
): readonly string[] {
  const isJudged = journals.completeness !== undefined;
  if (isJudged || (mayBeNarrowed && journals.isOneJournal)) return columns;
  return [...new Set([...columns, ...NUMBERS])];
}

/**
 * Says how complete the memory of the nodes is over the time that was asked for, or that of the node of
 * one record, by its row. Inputs of several journals are read once more, unless the table of the last
 * scan has the columns of withNumbers().
 */
export async function completenessIn(
  journals: Journals,
  asked: AskedFor,
  scanned: string,
  row?: number,
): Promise<string> {
  journals.completeness ??= await judged(journals, asked, scanned, row);
  return journals.completeness;
}

async function judged(
  journals: Journals,
  asked: AskedFor,
  scanned: string,
  row: number | undefined,
): Promise<string> {
  const hasNumbers = await isThere(journals, scanned);
  if (!hasNumbers && journals.isOneJournal) return NOT_JUDGED;
  const nowMs = Date.now();
  const { since, until } = timeRangeOf(asked, nowMs);
  const table = hasNumbers ? scanned : 'numbered';
  if (!hasNumbers) await journals.scan(table, NUMBERS);
  const { node } = asked;
  const condition =
    row === undefined || !hasNumbers
      ? conditionOf(node === undefined ? {} : { node }, nowMs).sql
      : `node = (SELECT node FROM ${table} WHERE rowid = ${row})`;
  await journals.rows(
    `CREATE OR REPLACE VIEW asked_nodes AS SELECT *, rowid AS row FROM ${table}
     WHERE readable AND node IS NOT NULL AND "timestamp" IS NOT NULL AND boot_id IS NOT NULL
       AND ${condition}`,
  );
  return completenessOf(await factsOf(journals, since, until), { since, until });
}

/** A command may answer without its scan: from SQL of the user. */
async function isThere(journals: Journals, table: string): Promise<boolean> {
  const names = NUMBERS.map((name) => `'${name}'`).join(', ');
  const rows = await journals.rows(
    `SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND column_name IN (${names})`,
    [table],
  );
  return rows.length === NUMBERS.length;
}

async function factsOf(
  journals: Journals,
  since: bigint | undefined,
  until: bigint | undefined,
): Promise<NodeFacts[]> {
  const isBefore = since === undefined ? 'false' : `"timestamp" < ${since}`;
  const isBehind = until === undefined ? 'false' : `"timestamp" >= ${until}`;
  const cpus = new Map<string, Cpu>();
  const cpuOf = (hook: string, cpu: unknown): Cpu => {
    const key = `${hook}/${cpu}`;
    const known = cpus.get(key) ?? {
      hook,
      received: [],
      lost: [],
      withheld: [],
      before: undefined,
      behind: undefined,
    };
    cpus.set(key, known);
    return known;
  };
  const execs = await journals.rows(
    `SELECT concat_ws('/', node, boot_id, hook_id), cpu, min(seq), max(seq),
       max(seq) FILTER (${isBefore}), min(seq) FILTER (${isBehind})
     FROM (SELECT *, seq - row_number() OVER (PARTITION BY node, boot_id, hook_id, cpu ORDER BY seq)
         AS part FROM asked_nodes WHERE "action" = 'exec' AND seq > 0 AND cpu IS NOT NULL) one
     GROUP BY node, boot_id, hook_id, cpu, part`,
  );
  for (const [hook, cpu, first, last, before, behind] of execs) {
    const one = cpuOf(String(hook), cpu);
    one.received.push({ first: Number(first), last: Number(last) });
    if (before !== null) one.before = Math.max(one.before ?? 0, Number(before));
    if (behind !== null)
      one.behind = Math.min(one.behind ?? Number.POSITIVE_INFINITY, Number(behind));
  }
  const told = await journals.rows(
    `SELECT 'lost', concat_ws('/', node, boot_id, loss_hook_id), loss_cpu, loss_first_seq, loss_last_seq
     FROM asked_nodes WHERE "action" = 'journal.loss' AND loss_first_seq IS NOT NULL
     UNION ALL
     SELECT 'withheld', concat_ws('/', node, boot_id, withheld_hook_id), withheld_cpu,
       try_cast(split_part(numbers, '-', 1) AS BIGINT), try_cast(split_part(numbers, '-', 2) AS BIGINT)
     FROM (SELECT *, unnest(withheld_ranges) AS numbers FROM asked_nodes
       WHERE "action" = 'journal.withheld')`,
  );
  for (const [kind, hook, cpu, first, last] of told)
    cpuOf(String(hook), cpu)[kind === 'lost' ? 'lost' : 'withheld'].push({
      first: Number(first),
      last: Number(last),
    });
  const hooks = await hooksOf(journals);
  const nodes = await journals.rows(
    `SELECT node, min("timestamp"), max("timestamp"), count(*) FILTER ("action" = 'journal.loss'
         AND loss_first_seq IS NULL AND NOT (${isBefore}) AND NOT (${isBehind}))
     FROM asked_nodes GROUP BY node ORDER BY node`,
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
      return [numbersOf(cpu, hook, Number(key.slice(key.lastIndexOf('/') + 1)))];
    }),
  }));
}

async function hooksOf(journals: Journals): Promise<Map<string, Hook>> {
  const rows = await journals.rows(
    `SELECT concat_ws('/', node, boot_id, hook_id), node, min("timestamp"), max("timestamp")
     FROM asked_nodes WHERE hook_id IS NOT NULL GROUP BY ALL`,
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
  const starts = await journals.rows(
    `SELECT row, concat_ws('/', node, boot_id, hook_id), format_version,
       to_json(hook_next_seq)::VARCHAR
     FROM asked_nodes WHERE "action" = 'journal.start' ORDER BY row`,
  );
  for (const [row, key, format, next] of starts) {
    const hook = hooks.get(String(key));
    if (hook === undefined) continue;
    hook.nextSeq ??= next === null ? [] : JSON.parse(String(next));
    hook.isUntold ||= Number(format) < 2 && journals.placeOf(Number(row)).file.hasLogs;
  }
  return hooks;
}
