import { counted } from '../../../record/describe.ts';
import { rfc3339Of } from '../../../record/time.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { identifier, literal } from '../schema/literal.ts';

/** How many nodes an answer names that are not complete. */
const NAMED_MAX = 5;

/** The numbers of one CPU under one hook that have arrived. */
interface Arrived {
  readonly node: string;
  readonly hook: string;
  readonly cpu: string;
  readonly first: string;
  readonly last: string;
  readonly count: string;
}

/** A range of numbers that the agent has recorded as lost, or that rules of the export held back. */
type Numbers = Omit<Arrived, 'count'>;

/**
 * Says which nodes' records have all arrived, between the first and the last number of each CPU in
 * these hours. What follows the last number is not known.
 */
export async function completenessOf(
  store: Store,
  nodes: readonly string[] | undefined,
  times: TimeRange,
): Promise<string> {
  const table = (name: string) => `${identifier(store.address.database)}.${identifier(name)}`;
  const onNodes = nodes === undefined ? 'true' : `node IN (${nodes.map(literal).join(', ')})`;
  const seen = await store.rows<{ node: string; last_time: string }>(
    `SELECT node, toString(max(last_time)) AS last_time FROM ${table('coverage')}
     WHERE ${onNodes} GROUP BY node ORDER BY node`,
  );
  const arrived = await store.rows<Arrived>(
    `SELECT node, hook_id AS hook, toString(c.cpu) AS cpu, toString(min(c.first)) AS first,
       toString(max(c.last)) AS last, toString(groupBitmapMerge(seqs)) AS count
     FROM ${table('coverage')} AS c WHERE ${onNodes} AND ${inHours(times)}
     GROUP BY node, boot_id, hook_id, c.cpu`,
  );
  const lost = await store.rows<Numbers>(
    `SELECT DISTINCT node, loss_hook_id AS hook, toString(loss_cpu) AS cpu,
       toString(loss_first_seq) AS first, toString(loss_last_seq) AS last
     FROM ${table('journal')}
     WHERE ${onNodes} AND action = 'journal.loss' AND loss_first_seq IS NOT NULL`,
  );
  const withheld = await store.rows<Numbers>(
    `SELECT DISTINCT node, withheld_hook_id AS hook, toString(withheld_cpu) AS cpu,
       splitByChar('-', range)[1] AS first, splitByChar('-', range)[2] AS last
     FROM ${table('journal')} ARRAY JOIN withheld_ranges AS range
     WHERE ${onNodes} AND action = 'journal.withheld'`,
  );
  return sentenceOf(seen, missingIn(arrived, lost, withheld));
}

/** What a node's records lack, and how many of these are recorded as lost; 0 and 0: nothing. */
interface Missing {
  all: bigint;
  told: bigint;
}

function missingIn(
  arrived: readonly Arrived[],
  lost: readonly Numbers[],
  withheld: readonly Numbers[],
): Map<string, Missing> {
  const [lostBy, withheldBy] = [Map.groupBy(lost, keyOf), Map.groupBy(withheld, keyOf)];
  const byNode = new Map<string, Missing>();
  for (const one of arrived) {
    const missing = byNode.get(one.node) ?? { all: 0n, told: 0n };
    const numbers = BigInt(one.last) - BigInt(one.first) + 1n;
    missing.all += numbers - BigInt(one.count) - countIn(one, withheldBy.get(keyOf(one)));
    missing.told += countIn(one, lostBy.get(keyOf(one)));
    byNode.set(one.node, missing);
  }
  return byNode;
}

/** How many numbers between the first and the last that arrived are in these ranges. */
function countIn({ first, last }: Arrived, ranges: readonly Numbers[] = []): bigint {
  let count = 0n;
  let next = BigInt(first);
  // Ranges may overlap: a replay may cut them differently.
  for (const range of ranges.toSorted(byFirst)) {
    const from = BigInt(range.first) > next ? BigInt(range.first) : next;
    const to = BigInt(range.last) < BigInt(last) ? BigInt(range.last) : BigInt(last);
    if (from > to) continue;
    count += to - from + 1n;
    next = to + 1n;
  }
  return count;
}

function byFirst(one: Numbers, other: Numbers): number {
  return Number(BigInt(one.first) - BigInt(other.first));
}

function sentenceOf(
  seen: readonly { readonly node: string; readonly last_time: string }[],
  missing: ReadonlyMap<string, Missing>,
): string {
  const remarks: string[] = [];
  let complete = 0;
  for (const { node, last_time } of seen) {
    const lacks = missing.get(node);
    if (lacks === undefined) remarks.push(`${node}: silent since ${rfc3339Of(BigInt(last_time))}`);
    else if (lacks.all === 0n) complete += 1;
    else
      remarks.push(
        `${node}: ${counted(Number(lacks.all), 'record')} missing, ${lacks.told} recorded as lost`,
      );
  }
  const named = remarks.slice(0, NAMED_MAX);
  const more = remarks.length - named.length;
  if (more > 0) named.push(`${more} more`);
  return [`${complete} of ${counted(seen.length, 'node')} complete`, ...named].join('; ');
}

function keyOf({ node, hook, cpu }: Numbers): string {
  return JSON.stringify([node, hook, cpu]);
}

function inHours({ since, until }: TimeRange): string {
  const from = since === undefined ? 'true' : `hour >= toStartOfHour(${timeOf(since)})`;
  return until === undefined ? from : `${from} AND hour < ${timeOf(until)}`;
}

function timeOf(nanoseconds: bigint): string {
  return `toDateTime(${nanoseconds / 1_000_000_000n}, 'UTC')`;
}
