import { effectsTable, type Key, rowsAt, uuid } from '../../store/answer/fetch.ts';
import { isWholeId, timeCondition } from '../../store/answer/question.ts';
import { lineOf, type Row } from '../../store/answer/record-line.ts';
import type { Store } from '../../store/connect.ts';
import { literal, tableOf } from '../../store/schema/literal.ts';
import type { Branches, Page, Part } from '../memory.ts';
import { badPlace, partOf } from './part.ts';

/** A time with an end. */
interface Times {
  readonly since: bigint;
  readonly until: bigint;
}

/** The first windows are these parts of the time. */
const WINDOWS = [100n, 10n];

/** Returns a part of the records for which a condition holds, by time; all are in this time. */
export async function pageOf(
  store: Store,
  condition: string,
  part: Part,
  times: Times,
): Promise<Page> {
  const { shown, next, prev } = await keysOf(store, condition, part, windowsOf(part, times));
  return { lines: await linesAt(store, shown), next, prev };
}

/** Returns such a part with the number of records that each caused. */
export async function branchesOf(store: Store, condition: string, part: Part): Promise<Branches> {
  const { shown, next, prev } = await keysOf(store, condition, part, ['true']);
  const [lines, children] = [await linesAt(store, shown), await childCounts(store, shown)];
  return { lines, children, next, prev };
}

/** Looks into one window after the other until it has as many records as are wanted. */
async function keysOf(store: Store, condition: string, part: Part, windows: readonly string[]) {
  let found: readonly Key[] = [];
  for (const window of windows) {
    found = await foundIn(store, `${condition} AND ${conditionOn(part)} AND ${window}`, part);
    if (found.length > part.limit) break;
  }
  return partOf(found, part, placeOf);
}

function foundIn(
  store: Store,
  condition: string,
  { isBackwards, limit }: Part,
): Promise<readonly Key[]> {
  const order = isBackwards ? 'DESC' : 'ASC';
  return store.rows<Key>(
    `SELECT toString(one.timestamp) AS timestamp, one.node AS node, toString(one.id) AS id
     FROM (SELECT timestamp, node, id FROM ${tableOf(store, 'records')} FINAL
       WHERE ${condition}) AS one
     ORDER BY one.timestamp ${order}, one.node ${order}, one.id ${order} LIMIT ${limit + 1}`,
  );
}

/** Most pages are full of records from a small part of the time; the last window has all of it. */
function windowsOf({ place, isBackwards, from }: Part, { since, until }: Times): string[] {
  const at = place === undefined ? undefined : BigInt(keyIn(place)[0]);
  const begin = isBackwards ? since : (at ?? from ?? since);
  const end = isBackwards ? (at ?? until) : until;
  const small = WINDOWS.map((part) =>
    isBackwards
      ? timeCondition({ since: end - (end - begin) / part + 1n })
      : timeCondition({ until: begin + (end - begin) / part }),
  );
  return [...small, 'true'];
}

async function linesAt(store: Store, keys: readonly Key[]): Promise<string[]> {
  const lines = new Map<string, string>();
  for await (const rows of rowsAt(store, keys))
    for (const row of rows) lines.set(placeOf(keyOf(row)), lineOf(row));
  return keys.map((key) => lines.get(placeOf(key)) ?? '').filter((line) => line !== '');
}

/** Returns how many records each of these caused. */
export async function childCounts(store: Store, keys: readonly Key[]): Promise<number[]> {
  if (keys.length === 0) return [];
  const rows = await store.rows<{ node: string; cause: string; count: string }>(
    `SELECT one.node AS node, toString(one.cause) AS cause, toString(count(*)) AS count
     FROM ${effectsTable(store, keys)} AS one GROUP BY one.node, one.cause`,
  );
  const counts = new Map(rows.map(({ node, cause, count }) => [`${cause} ${node}`, Number(count)]));
  return keys.map(({ node, id }) => counts.get(`${id} ${node}`) ?? 0);
}

function keyOf({ node, timestamp, id }: Row): Key {
  return { node, timestamp, id: String(id) };
}

/** Names the place of a record for a page that asks for what is behind it. */
function placeOf({ timestamp, node, id }: Key): string {
  return Buffer.from(JSON.stringify([timestamp, node, id])).toString('base64url');
}

/** Returns the condition for records behind or before a place. */
function conditionOn({ place, isBackwards, from }: Part): string {
  if (place === undefined) return from === undefined ? 'true' : timeCondition({ since: from });
  const [timestamp, node, id] = keyIn(place);
  const at = BigInt(timestamp);
  const isOnSide = timeCondition(isBackwards ? { until: at + 1n } : { since: at });
  const sign = isBackwards ? '<' : '>';
  return `${isOnSide} AND (timestamp, node, id) ${sign} (${timestamp}, ${literal(node)}, ${uuid(id)})`;
}

function keyIn(place: string): [timestamp: string, node: string, id: string] {
  const text = Buffer.from(place, 'base64url').toString();
  const [, timestamp, node, id] =
    /^\["(-?\d{1,19})",("(?:[^"\\]|\\.)*"),"([^"\\]*)"\]$/.exec(text) ?? [];
  if (timestamp === undefined || node === undefined || id === undefined || !isWholeId(id))
    throw badPlace();
  try {
    return [timestamp, JSON.parse(node), id];
  } catch {
    throw badPlace();
  }
}
