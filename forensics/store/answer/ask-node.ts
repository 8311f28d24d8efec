import type { Opening } from '../../commands/reading.ts';
import { leastOf } from '../../completeness/numbers.ts';
import { ForensicsError } from '../../errors.ts';
import { Journals } from '../../journals.ts';
import { momentOf } from '../../select/time.ts';
import { CPU, type CpuRow } from '../arrivals/received.ts';
import { type ConnectionOptions, connect, type Store } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { literal, tableOf } from '../schema/literal.ts';
import { selectRows } from './fetch.ts';
import { hookOf, inJournalOrder, type Start } from './journal-order.ts';
import { NodeFiles } from './node-files.ts';
import { timeCondition } from './question.ts';
import type { Row } from './record-line.ts';

const NANOSECONDS = 1_000_000_000n;

/** Which records of a node are asked for. */
export interface NodeQuestion {
  readonly node: string;
  readonly since: string;
}

/** Opens the records of a node from a time on, in the order of its journal, for an audit. */
export function askNode(
  address: string,
  options: ConnectionOptions,
  { node, since }: NodeQuestion,
): Opening {
  const from = momentOf(since, Date.now());
  return {
    percentage: 0,
    async open(temporary) {
      await using store = connect(address, options);
      await refuseOtherSchema(store);
      const files = new NodeFiles(store, temporary, { isExported: true });
      const boots = await bootsOf(store, `node = ${literal(node)} AND timestamp >= ${from}`);
      if (boots.length === 0)
        throw new ForensicsError(
          'negative',
          `the store has no record of the node ${node} since ${since}`,
        );
      const starts = await startsOf(store, node, from, boots);
      const asked = await askedOf(store, node, from, starts);
      for await (const row of inJournalOrder(rowsOf(store, asked, boots), starts, from))
        await files.write(row);
      const answers = await files.close();
      return Journals.open(answers, undefined, temporary);
    },
  };
}

/** Returns the boots of the records, in order. */
async function bootsOf(store: Store, condition: string): Promise<string[]> {
  const rows = await store.rows<{ boot: string }>(
    `SELECT toString(boot_id) AS boot FROM ${tableOf(store, 'records')}
     WHERE ${condition} AND boot_id IS NOT NULL GROUP BY boot_id ORDER BY min(timestamp)`,
  );
  return rows.map(({ boot }) => boot);
}

/** Returns all starts on a node, also those before the time, whose unread execs may be behind it. */
async function startsOf(
  store: Store,
  node: string,
  from: bigint,
  boots: readonly string[],
): Promise<Start[]> {
  const rows = await store.rows<{
    id: string;
    boot: string;
    hook: string;
    next: string[];
    is_there: number;
  }>(
    `SELECT toString(id) AS id, toString(boot_id) AS boot, coalesce(hook_id, '') AS hook,
       CAST(hook_next_seq, 'Array(String)') AS next, timestamp >= ${from} AS is_there
     FROM ${tableOf(store, 'journal')}
     WHERE node = ${literal(node)} AND action = 'journal.start'
     ORDER BY ${bootOrder('boot_id', boots)}, boot_time, timestamp, version DESC
     LIMIT 1 BY id`,
  );
  return rows.map(({ id, boot, hook, next, is_there }) => ({
    id,
    boot,
    hook,
    nextSeq: next.map(Number),
    isThere: is_there === 1,
  }));
}

/** The conditions for execs, and for the records about the journal. */
interface Asked {
  readonly execs: string;
  readonly others: string;
}

/**
 * Returns the conditions for the records of a node from a time on, and for earlier ones that may be behind
 * a start since then in the journal: what the hook stored before the agent wrote its start, or what an
 * earlier agent left unread. Which of these are behind a start, inJournalOrder() decides.
 */
async function askedOf(
  store: Store,
  node: string,
  from: bigint,
  starts: readonly Start[],
): Promise<Asked> {
  const there = starts.filter(({ isThere }) => isThere);
  const ofNode = `node = ${literal(node)}`;
  const isSince = `timestamp >= ${from}`;
  if (there.length === 0) {
    const all = `${ofNode} AND ${isSince}`;
    return { execs: all, others: all };
  }
  const boots = [...new Set(there.map(({ boot }) => boot))];
  const ofBoots = `boot_id IN (${boots.map((boot) => `toUUIDOrZero(${literal(`${boot}`)})`).join(', ')})`;
  const rows = await store.rows<Omit<CpuRow, 'arrived' | 'low'> & { begin: string }>(
    `SELECT ${CPU}, toString(max(c.last)) AS high, toString(toUnixTimestamp(hour)) AS begin
     FROM ${tableOf(store, 'coverage')} AS c
     WHERE ${ofNode} AND ${ofBoots} AND toUnixTimestamp(hour) <= ${from / NANOSECONDS}
     GROUP BY node, boot_id, hook_id, c.cpu, hour`,
  );
  const least = new Map(
    Array.from(Map.groupBy(there, hookOf), ([hook, own]) => [
      hook,
      leastOf(own.map(({ nextSeq }) => nextSeq)),
    ]),
  );
  let since = from;
  for (const { boot, hook, own_cpu, high, begin } of rows) {
    const nextSeq = least.get(hookOf({ boot, hook }));
    if (nextSeq === undefined || Number(high) < (nextSeq[Number(own_cpu)] ?? 1)) continue;
    const hour = BigInt(begin) * NANOSECONDS;
    if (hour < since) since = hour;
  }
  const nextSeqs = [...least.values()];
  const named = Math.min(...nextSeqs.map(({ length }) => length));
  const lowest = nextSeqs.flat().reduce((low, one) => Math.min(low, one), Number.MAX_SAFE_INTEGER);
  const isHigh = (number: string, cpu: string) => `(${number} >= ${lowest} OR ${cpu} >= ${named})`;
  const ends = "arrayMap(one -> toInt64OrZero(splitByChar('-', one)[2]), withheld_ranges)";
  return {
    execs: `${ofNode} AND (${isSince} OR (${ofBoots}
      AND ${timeCondition({ since, until: from })} AND ${isHigh('seq', 'cpu')}))`,
    others: `${ofNode} AND (${isSince} OR (${ofBoots} AND timestamp < ${from}
      AND action = 'journal.withheld' AND ${isHigh(`arrayMax(${ends})`, 'withheld_cpu')}))`,
  };
}

/** Yields execs and the records about the journal, in the order of their times since the boot. */
async function* rowsOf(
  store: Store,
  isAsked: Asked,
  boots: readonly string[],
): AsyncGenerator<Row> {
  const order = `${bootOrder('r.boot_id', boots)}, r.boot_time, r.timestamp, r.id`;
  const execs = each(
    store.stream<Row>(
      selectRows(store, `${isAsked.execs} AND action = 'exec'`, {
        tables: ['records'],
        key: 'node, timestamp, id',
        order,
      }),
    ),
  );
  const others = each(
    store.stream<Row>(
      selectRows(store, isAsked.others, {
        tables: ['journal'],
        key: 'node, timestamp, id, content',
        order,
      }),
    ),
  );
  const isBefore = (one: Row, other: Row): boolean => {
    const [a, b] = [boots.indexOf(`${one.boot_id}`), boots.indexOf(`${other.boot_id}`)];
    return a === b ? timeOf(one) < timeOf(other) : a < b;
  };
  let [exec, other] = [await execs.next(), await others.next()];
  while (exec.done !== true || other.done !== true)
    if (other.done === true || (exec.done !== true && isBefore(exec.value, other.value))) {
      if (exec.done !== true) yield exec.value;
      exec = await execs.next();
    } else {
      yield other.value;
      other = await others.next();
    }
}

async function* each(parts: AsyncIterable<readonly Row[]>): AsyncGenerator<Row> {
  for await (const rows of parts) yield* rows;
}

function timeOf({ boot_time }: Row): bigint {
  return BigInt((boot_time as string | null) ?? 0);
}

/** A place in the order of boots; 0: it is of none of them, or of none at all. */
function bootOrder(column: string, boots: readonly string[]): string {
  const known = boots.map((boot) => `toUUIDOrZero(${literal(boot)})`).join(', ');
  return `indexOf([${known}], coalesce(${column}, toUUIDOrZero('')))`;
}
