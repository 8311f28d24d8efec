import type { Store } from '../connect.ts';
import { COLUMNS } from '../schema/columns.ts';
import { identifier, literal, tableOf } from '../schema/literal.ts';
import { conditionFor, idConditions, type Question } from './question.ts';
import { LINE_COLUMNS, type Row } from './record-line.ts';

/** A chain is looked for in the last ten minutes, hour and 30 days before the effect, then anywhere. */
const WINDOWS_NS = [600_000_000_000n, 3_600_000_000_000n, 2_592_000_000_000_000n, undefined];
/** Causes are looked for among so many links before the effect first, in so short a time. */
const NEAR_NS = 60_000_000_000n;
const NEAR_MAX = 100_000;
/** How many causes or parents one query names. */
const ASKED_AT_ONCE = 2000;

/** Returns the rows that answer a question; each record comes once, as it was first inserted. */
export async function* rowsFor(
  store: Store,
  question: Question,
  nowMs: number,
): AsyncGenerator<readonly Row[]> {
  const { id, effects = false, causes = false, ...selection } = question;
  if (id === undefined) {
    const condition = conditionFor(selection, nowMs);
    const selected = store.stream<Row>(selectRows(store, condition, SELECTED));
    if (causes) yield* withCauses(store, selected);
    else yield* selected;
    return;
  }
  const found = await withId(store, idConditions(id, selection, nowMs));
  const known = new Set(found.map((link) => link.id));
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

/** Yields rows, and then their causes, level by level. */
async function* withCauses(
  store: Store,
  rows: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  const known = new Set<string>();
  const wanted = new Map<string, Set<string>>();
  const look = (found: readonly Row[]) => {
    for (const { id } of found) known.add(String(id));
    for (const row of found) {
      const cause = causeOf(row);
      if (cause !== null && !known.has(cause)) entryOf(wanted, row.node).add(cause);
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
      for (const some of inParts(causes.filter((cause) => !known.has(cause)))) {
        for (const cause of some) known.add(cause);
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

/** Follows the causes of a record on its node while there are any. */
export async function causesOf(store: Store, effect: Link, known: Set<string>): Promise<Link[]> {
  if (effect.parent_cause === null) return [];
  const links: Link[] = [];
  const pending = [effect];
  let near = await linksBefore(store, effect);
  for (let link = pending.pop(); link !== undefined; link = pending.pop()) {
    const cause = link.parent_cause;
    if (cause === null || known.has(cause)) continue;
    known.add(cause);
    let found = near.get(cause)?.filter(isBefore(link)) ?? [];
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
  const until = BigInt(effect.timestamp);
  const links = await linksAt(
    store,
    `node = ${literal(effect.node)} AND timestamp <= ${until} AND timestamp >= ${until - NEAR_NS}`,
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

async function causeLinks(store: Store, cause: string, effect: Link): Promise<Link[]> {
  const until = BigInt(effect.timestamp);
  const isCause = `node = ${literal(effect.node)} AND id = ${uuid(cause)}`;
  for (const window of WINDOWS_NS) {
    const since = window === undefined ? '' : ` AND timestamp >= ${until - window}`;
    const found = await linksAt(store, `${isCause} AND timestamp <= ${until}${since}`);
    if (found.length > 0) return found;
  }
  // A clock that somebody set makes a cause later than its effect.
  return linksAt(store, isCause);
}

/** Yields the effects of records, level by level; deep levels are mostly small, so that several come at once. */
async function* effectsOf(
  store: Store,
  roots: readonly Link[],
  known: Set<string>,
): AsyncGenerator<readonly Row[]> {
  let waiting: Link[] = [];
  for (let level = roots; level.length > 0; ) {
    const next: Link[] = [];
    for (const part of inParts(level)) {
      const nodes = [...new Set(part.map(({ node }) => literal(node)))];
      const ids = part.map(({ id }) => uuid(id));
      const found = await linksAt(
        store,
        `node IN (${nodes.join(', ')}) AND parent_cause IN (${ids.join(', ')})`,
      );
      for (const link of found) if (!known.has(link.id)) next.push(link);
    }
    for (const { id } of next) known.add(id);
    waiting = waiting.concat(next);
    if (waiting.length >= ASKED_AT_ONCE) {
      yield* rowsAt(store, waiting);
      waiting = [];
    }
    level = next;
  }
  yield* rowsAt(store, waiting);
}

/** Returns the links for which a condition holds, or the latest ones. */
export function linksAt(store: Store, condition: string, limit?: number): Promise<Link[]> {
  const order =
    limit === undefined
      ? 'r.node, r.timestamp, r.id'
      : `r.timestamp DESC, r.id DESC LIMIT ${limit}`;
  return store.rows<Link>(
    `SELECT r.node AS node, toString(r.timestamp) AS timestamp, toString(r.id) AS id,
       toString(r.parent_cause) AS parent_cause
     FROM (SELECT node, timestamp, id, parent_cause FROM ${tableOf(store, 'records')} FINAL
       WHERE ${condition}) AS r
     ORDER BY ${order}`,
  );
}

/** Where a record is in the table. */
export type Key = Pick<Link, 'node' | 'timestamp' | 'id'>;

/** Yields the rows of records. */
export async function* rowsAt(store: Store, links: readonly Key[]): AsyncGenerator<readonly Row[]> {
  for (const part of inParts(links)) {
    const nodes = [...new Set(part.map(({ node }) => literal(node)))];
    const times = part.map(({ timestamp }) => BigInt(timestamp)).sort((a, b) => (a < b ? -1 : 1));
    const isOne = `node IN (${nodes.join(', ')}) AND id IN (${part.map(({ id }) => uuid(id)).join(', ')})`;
    yield await store.rows<Row>(
      selectRows(store, `timestamp >= ${times[0]} AND timestamp <= ${times.at(-1)} AND ${isOne}`),
    );
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

/** A table, what makes its rows differ, and the order in which they are wanted. */
interface Wanted {
  readonly table: string;
  readonly key: string;
  readonly order: string;
  /** Whether the condition is about more than the key. */
  readonly isSelection?: boolean;
}

const RECORDS: Wanted = {
  table: 'records',
  key: 'node, timestamp, id',
  order: 'r.node, r.timestamp, r.id',
};
const SELECTED: Wanted = { ...RECORDS, isSelection: true };

/**
 * Returns the query of the rows for which a condition holds. A replay has a lower version than the
 * first row, whether they are merged yet or not; if it differs, a selection must not find it.
 */
export function selectRows(
  store: Store,
  condition: string,
  { table, key, order, isSelection = false }: Wanted = RECORDS,
): string {
  const columns = LINE_COLUMNS.map(identifier).join(', ');
  const where = isSelection
    ? `FINAL WHERE ${condition}`
    : `WHERE ${condition} ORDER BY ${key}, version DESC LIMIT 1 BY ${key}`;
  return `SELECT ${LINE_COLUMNS.map(exact).join(', ')} FROM (
    SELECT ${columns} FROM ${tableOf(store, table)} ${where}
  ) AS r ORDER BY ${order}`;
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
