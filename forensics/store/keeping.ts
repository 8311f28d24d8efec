import { counted } from '../../record/describe.ts';
import { rfc3339Of } from '../../record/time.ts';
import { ForensicsError } from '../errors.ts';
import type { Store } from './connect.ts';
import { type Layout, nameOf, onCluster, storedName } from './schema/statements.ts';
import { keepingFor } from './schema/tables.ts';

/** How long records are to be kept. */
export interface Keeping {
  /** undefined: as long as the store keeps them */
  readonly days: number | undefined;
  /** Whether records may be deleted for that. */
  readonly mayDelete: boolean;
}

/** A change to how long a store keeps records. */
export interface KeepingChange {
  readonly sql: string;
  /** says what has changed */
  readonly sentence: string;
}

const RECORDS = 'records';
const DAY_S = 86_400;

/**
 * Returns how to make a store keep records so long; undefined: it does already, or is not there. Refuses
 * to delete records that the store has, unless that is allowed.
 */
export async function keepingChange(
  store: Store,
  layout: Layout,
  { days, mayDelete }: Keeping,
): Promise<KeepingChange | undefined> {
  if (days === undefined) return undefined;
  const kept = await keptDays(store, layout, layout.everywhere);
  const others = kept.filter((one) => one !== days);
  if (others.length === 0) return undefined;
  const longest = Math.max(...others);
  const older = longest > days ? await olderRecords(store, layout, days) : undefined;
  if (older !== undefined && !mayDelete)
    throw new ForensicsError(
      'unreadable',
      `--keep-days ${days} would delete ${older.records} from before ${older.before}, and the store keeps records ${howLong(longest)}: add --delete-older to delete them`,
    );
  const deleted = older === undefined ? '' : `; the server deletes ${older.records}`;
  return {
    sql: `ALTER TABLE ${nameOf(layout, storedName(layout, RECORDS))}${onCluster(layout)} MODIFY ${keepingFor(days)}`,
    sentence: `records are kept ${howLong(days)} instead of ${howLong(longest)}${deleted}`,
  };
}

/** Returns on how many servers of a cluster records are kept for another time. */
export async function keptOtherwise(store: Store, layout: Layout, days: number): Promise<number> {
  const kept = await keptDays(store, layout, true);
  return kept.filter((one) => one !== days).length;
}

/** Returns for how many days servers keep records, Infinity for ever; none where there is no table. */
async function keptDays(store: Store, layout: Layout, onAll: boolean): Promise<number[]> {
  const { cluster, database } = layout;
  const isCluster = cluster !== undefined && onAll;
  const tables = isCluster
    ? 'clusterAllReplicas({cluster:Identifier}, system.tables)'
    : 'system.tables';
  const rows = await store.rows<{ engine: string }>(
    `SELECT engine_full AS engine FROM ${tables}
     WHERE database = {database:String} AND name = {table:String}`,
    { database, table: storedName(layout, RECORDS), ...(isCluster && { cluster }) },
  );
  return rows.map(({ engine }) => daysIn(engine, layout));
}

function daysIn(engine: string, layout: Layout): number {
  const [, clause] = / (TTL .*?)(?: SETTINGS .*)?$/s.exec(engine) ?? [];
  if (clause === undefined) return Number.POSITIVE_INFINITY;
  const days = Number(/(\d+)\D*$/.exec(clause)?.[1]);
  // The server may write an interval in two ways.
  const written = [
    keepingFor(days),
    keepingFor(days).replace(/INTERVAL (\d+) DAY/, 'toIntervalDay($1)'),
  ];
  if (written.includes(clause)) return days;
  throw new ForensicsError(
    'unreadable',
    `${layout.database}.${storedName(layout, RECORDS)} has a TTL that vcml did not set (${clause}): change it with ALTER TABLE, and leave --keep-days out`,
  );
}

/** Returns what is older than so many days; undefined: nothing. */
async function olderRecords(store: Store, layout: Layout, days: number) {
  const table = layout.everywhere ? RECORDS : storedName(layout, RECORDS);
  const [row] = await store.rows<{ count: string; before: string }>(
    `WITH (toInt64(toUnixTimestamp(now())) - ${days * DAY_S}) * 1000000000 AS cutoff
     SELECT toString(count()) AS count, toString(cutoff) AS before
     FROM ${nameOf(layout, table)} WHERE timestamp < cutoff`,
  );
  const count = Number(row?.count);
  if (row === undefined || count === 0) return undefined;
  return { records: counted(count, 'record'), before: rfc3339Of(BigInt(row.before)) };
}

function howLong(days: number): string {
  return days === Number.POSITIVE_INFINITY ? 'for ever' : `for ${counted(days, 'day')}`;
}
