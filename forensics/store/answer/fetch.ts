import { HOUR_NS } from '../../select/time.ts';
import type { Store } from '../connect.ts';
import { COLUMNS } from '../schema/columns.ts';
import { identifier, literal, literals, tableOf } from '../schema/literal.ts';
import { HOUR } from '../schema/tables.ts';
import { conditionFor, idConditions, type Question, timeCondition } from './question.ts';
import { LINE_COLUMNS, type Row } from './record-line.ts';

/** A chain is looked for in the last ten minutes, hour and 30 days before the effect, then anywhere. */
const WINDOWS_NS = [600_000_000_000n, 3_600_000_000_000n, 2_592_000_000_000_000n, undefined];
/** Causes are looked for among so many links before the effect first, in so short a time. */
const NEAR_NS = 60_000_000_000n;
const NEAR_MAX = 100_000;
/** One query names so many records, which it may do twice: it must not be too long for the server. */
const ASKED_AT_ONCE = 1000;

/** Returns the rows that answer a question; each record comes once, as it was first inserted. */
export async function* rowsFor(
  store: Store,
  question: Question,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const { id, effects = false, causes = false, ...selection } = question;
  if (id === undefined) {
    const selected = selectedRows(store, conditionFor(selection, nowMs));
    if (causes) yield* withCauses(store, selected);
    else yield* selected;
    return;
  }
  const found = await withId(store, idConditions(id, selection, nowMs));
  const known = new Set(found.map(nodesId));
  let links = found;
  for (const link of found) links = links.concat(await causesOf(store, link, known));
  yield* rowsAt(store, links);
  if (effects) yield* effectsOf(store, found, known);
}

/** Returns the links of the records for which the first condition holds that any record fulfils. */
export async function withId(
  store: Store,
  conditions: readonly string[],
): Promise<readonly Link[]> {
  for (const condition of conditions) {
    const found = await linksAt(store, condition);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Yields the rows of the records that a condition selects. FINAL reads all columns before the condition is
 * applied. Where it holds for few rows, replays included, their keys are found first.
 */
export async function* selectedRows(
  store: Store,
  condition: string,
): AsyncGenerator<readonly Row[]> {
  const keys: Key[] = [];
  for await (const some of store.stream<Key>(
    `SELECT one.node AS node, toString(one.timestamp) AS timestamp, toString(one.id) AS id
     FROM (SELECT DISTINCT node, timestamp, id FROM ${tableOf(store, 'records')}
       WHERE ${condition} LIMIT ${ASKED_AT_ONCE + 1}) AS one`,
  ))
    keys.push(...some);
  if (keys.length > ASKED_AT_ONCE) yield* store.stream<Row>(selectFinal(store, condition));
  else yield* rowsAt(store, keys, condition);
}

/** Yields rows, and then their causes, level by level. */
export async function* withCauses(
  store: Store,
  rows: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  const known = new Set<string>();
  const wanted = new Map<string, Set<string>>();
  const look = (found: readonly Row[]) => {
    for (const { node, id } of found) known.add(nodesId({ node, id: String(id) }));
    for (const row of found) {
      const cause = causeOf(row);
      if (cause !== null && !known.has(nodesId({ node: row.node, id: cause })))
        entryOf(wanted, row.node).add(cause);
    }
  };
  for await (const found of rows) {
    look(found);
    yield found;
  }
  while (wanted.size > 0) {
    const level = [...wanted].map(([node, causes]) => [node, [...causes]] as const);
    wanted.clear();
    for (const [node, causes] of level)
      for (const some of inParts(causes.filter((id) => !known.has(nodesId({ node, id }))))) {
        for (const id of some) known.add(nodesId({ node, id }));
        const found = await store.rows<Row>(
          selectRows(store, `node = ${literal(node)} AND id IN (${some.map(uuid).join(', ')})`),
        );
        look(found);
        yield found;
      }
  }
}

/**
 * What a record says about its links. A row has a hundred columns more, and takes most of the time, so
 * that whole rows are asked for once, when all links are known.
 */
export type Link = Pick<Row, 'node' | 'timestamp'> & {
  readonly id: string;
  readonly parent_cause: string | null;
};

/** An id, and whose it is: a node can send the ids of another one. */
export function nodesId({ node, id }: Pick<Link, 'node' | 'id'>): string {
  return `${id} ${node}`;
}

/** Follows the causes of a record on its node while there are any that are not known yet. */
export async function causesOf(
  store: Store,
  effect: Link,
  known = new Set([nodesId(effect)]),
): Promise<Link[]> {
  if (effect.parent_cause === null) return [];
  const links: Link[] = [];
  const pending = [effect];
  let near = await linksBefore(store, effect);
  for (let link = pending.pop(); link !== undefined; link = pending.pop()) {
    const cause = link.parent_cause;
    if (cause === null) continue;
    const key = nodesId({ node: link.node, id: cause });
    if (known.has(key)) continue;
    known.add(key);
    let found: readonly Link[] = near.get(cause)?.filter(isBefore(link)) ?? [];
    if (found.length === 0) {
      found = await causeLinks(store, cause, link);
      const [first] = found;
      if (first !== undefined && isNear(first, link)) near = await linksBefore(store, first);
    }
    for (const one of found) {
      links.push(one);
      pending.push(one);
    }
  }
  return links;
}

/** Most causes of a record were executed shortly before it: one query finds what took one for each. */
async function linksBefore(store: Store, effect: Link): Promise<Map<string, Link[]>> {
  const links = await linksAt(
    store,
    `node = ${literal(effect.node)} AND ${upTo(effect, NEAR_NS)}`,
    NEAR_MAX,
  );
  return Map.groupBy(links, ({ id }) => id);
}

function isBefore(effect: Link): (link: Link) => boolean {
  const until = BigInt(effect.timestamp);
  return ({ timestamp }) => BigInt(timestamp) <= until;
}

function isNear(cause: Link, effect: Link): boolean {
  const age = BigInt(effect.timestamp) - BigInt(cause.timestamp);
  return age >= 0n && age <= NEAR_NS;
}

function causeLinks(store: Store, cause: string, effect: Link): Promise<readonly Link[]> {
  const isCause = `node = ${literal(effect.node)} AND id = ${uuid(cause)}`;
  const windows = WINDOWS_NS.map((window) => `${isCause} AND ${upTo(effect, window)}`);
  // A clock that somebody set makes a cause later than its effect.
  return withId(store, [...windows, isCause]);
}

/** Returns the condition for the time before an effect, and its own. */
function upTo({ timestamp }: Link, window: bigint | undefined): string {
  const until = BigInt(timestamp);
  const since = window === undefined ? undefined : until - window;
  return timeCondition({ since, until: until + 1n });
}

/** Yields the effects of records, level by level; deep levels are mostly small, so that several come at once. */
export async function* effectsOf(
  store: Store,
  roots: readonly Link[],
  known: Set<string>,
): AsyncGenerator<readonly Row[]> {
  let waiting: Link[] = [];
  for (let level = roots; level.length > 0; ) {
    const next: Link[] = [];
    for (const part of inParts(level)) {
      const found = await store.rows<Link>(
        `SELECT one.node AS node, toString(one.timestamp) AS timestamp, toString(one.id) AS id,
           toString(one.cause) AS parent_cause
         FROM ${effectsTable(store, part)} AS one ORDER BY one.node, one.timestamp, one.id`,
      );
      const causes = new Set(part.map(nodesId));
      for (const link of found) {
        const cause = nodesId({ node: link.node, id: link.parent_cause ?? '' });
        if (causes.has(cause) && !known.has(nodesId(link))) next.push(link);
      }
    }
    for (const link of next) known.add(nodesId(link));
    waiting = waiting.concat(next);
    if (waiting.length >= ASKED_AT_ONCE) {
      yield* rowsAt(store, waiting);
      waiting = [];
    }
    level = next;
  }
  yield* rowsAt(store, waiting);
}

/**
 * Returns the effects of records as a table in SQL, with the columns of a key and `cause`, which may be the
 * id of a record of another one of the nodes. FINAL would read all records of the nodes. Here, the records
 * that have a row with such a cause are found first, and then judged by their first rows.
 */
export function effectsTable(store: Store, causes: readonly Key[]): string {
  const records = tableOf(store, 'records');
  const nodes = literals(causes.map(({ node }) => node));
  const ids = causes.map(({ id }) => uuid(id)).join(', ');
  return `(SELECT node, timestamp, id, tupleElement(earliest, 1) AS cause
    FROM (SELECT node, timestamp, id, argMax(tuple(parent_cause), version) AS earliest FROM ${records}
      WHERE node IN (${nodes}) AND (${HOUR}, node, timestamp, id) GLOBAL IN (
        SELECT ${HOUR}, node, timestamp, id FROM ${records}
        WHERE node IN (${nodes}) AND parent_cause IN (${ids}))
      GROUP BY node, timestamp, id)
    WHERE cause IN (${ids}))`;
}

/**
 * Returns the links of the records for which a condition holds, or of the latest ones. The condition is about
 * the key, which all rows of a record have in common.
 */
export function linksAt(store: Store, condition: string, limit?: number): Promise<Link[]> {
  const order =
    limit === undefined
      ? 'r.node, r.timestamp, r.id'
      : `r.timestamp DESC, r.id DESC LIMIT ${limit}`;
  return store.rows<Link>(
    `SELECT r.node AS node, toString(r.timestamp) AS timestamp, toString(r.id) AS id,
       toString(r.parent_cause) AS parent_cause
     FROM (SELECT node, timestamp, id, parent_cause FROM ${tableOf(store, 'records')}
       WHERE ${condition} ${firstOf('node, timestamp, id')}) AS r
     ORDER BY ${order}`,
  );
}

/** Where a record is in the table. */
export type Key = Pick<Link, 'node' | 'timestamp' | 'id'>;

/** Yields the rows of records, as far as another condition holds for them. */
export async function* rowsAt(
  store: Store,
  keys: readonly Key[],
  condition?: string,
): AsyncGenerator<readonly Row[]> {
  for (const part of inParts(keys)) {
    const hours = new Set(part.map(({ timestamp }) => BigInt(timestamp) / HOUR_NS));
    const times = new Set(part.map(({ timestamp }) => timestamp));
    const isOne = [
      `${HOUR} IN (${[...hours].join(', ')})`,
      `node IN (${literals(part.map(({ node }) => node))})`,
      `timestamp IN (${[...times].join(', ')})`,
      `id IN (${part.map(({ id }) => uuid(id)).join(', ')})`,
    ].join(' AND ');
    const rows = await store.rows<Row>(
      selectRows(store, isOne, { ...RECORDS, selection: condition }),
    );
    // Another node may have sent an id of this one, or this one with another time.
    const keyOf = ({ node, timestamp, id }: Key) => `${id} ${timestamp} ${node}`;
    const asked = new Set(part.map(keyOf));
    yield rows.filter((row) => asked.has(keyOf({ ...row, id: String(row.id) })));
  }
}

/** Yields as many records at a time as one query may name. */
export function* inParts<T>(all: readonly T[], most = ASKED_AT_ONCE): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += most) yield all.slice(at, at + most);
}

function entryOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}

/** Returns an id as SQL. */
export function uuid(id: string): string {
  return `toUUID(${literal(id)})`;
}

function causeOf(row: Row): string | null {
  return (row.parent_cause as string | null | undefined) ?? null;
}

/** Tables, what makes their rows differ, and the order in which they are wanted. */
interface Wanted {
  readonly tables: readonly string[];
  readonly key: string;
  readonly order: string;
  /** what must hold for the first row of a record, beside what all of its rows have in common */
  readonly selection?: string | undefined;
}

const RECORDS: Wanted = {
  tables: ['records'],
  key: 'node, timestamp, id',
  order: 'r.node, r.timestamp, r.id',
};

/**
 * Returns the query of the rows for which a condition about their key holds. A replay has a lower version
 * than the first row, whether they are merged yet or not; if it differs, a selection must not find it. A row
 * that is in several tables comes from each.
 */
export function selectRows(
  store: Store,
  condition: string,
  { tables, key, order, selection }: Wanted = RECORDS,
): string {
  const columns = LINE_COLUMNS.map(identifier).join(', ');
  const isSelected = selection === undefined ? '' : `, (${selection}) AS is_selected`;
  const first = tables.map(
    (table) =>
      `SELECT ${columns}, version${isSelected} FROM ${tableOf(store, table)} WHERE ${condition} ${firstOf(key)}`,
  );
  return `SELECT ${LINE_COLUMNS.map(exact).join(', ')} FROM (
    ${first.map((sql) => `(${sql})`).join(' UNION ALL ')}
  ) AS r ${selection === undefined ? '' : 'WHERE r.is_selected'} ORDER BY ${order}`;
}

/** Returns the query of all rows for which any condition holds. */
function selectFinal(store: Store, condition: string): string {
  const columns = LINE_COLUMNS.map(identifier).join(', ');
  return `SELECT ${LINE_COLUMNS.map(exact).join(', ')} FROM (
    SELECT ${columns} FROM ${tableOf(store, 'records')} FINAL WHERE ${condition}
  ) AS r ORDER BY ${RECORDS.order}`;
}

/** Returns the clauses that leave the first row of each key. */
function firstOf(key: string): string {
  return `ORDER BY ${key}, version DESC LIMIT 1 BY ${key}`;
}

const TYPES = new Map(COLUMNS.map(({ name, type }) => [name, type]));

/** A number in JSON would lose digits beyond 2^53; a reader may be denied the setting that quotes it. */
function exact(name: string): string {
  const type = TYPES.get(name);
  const column = `r.${identifier(name)}`;
  if (type?.endsWith('Int64)') && type.startsWith('Array'))
    return `CAST(${column}, 'Array(String)') AS ${identifier(name)}`;
  const isNumber = type === 'Int64' || type === 'Nullable(Int64)';
  return `${isNumber ? `toString(${column})` : column} AS ${identifier(name)}`;
}
