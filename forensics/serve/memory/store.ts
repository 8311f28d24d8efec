import { writeRecords } from '../../commands/query.ts';
import { stateOf } from '../../completeness/node.ts';
import { completenessOf } from '../../completeness/sentence.ts';
import { ForensicsError } from '../../errors.ts';
import { Temporary } from '../../inputs/temporary.ts';
import { notesOf } from '../../output/notes.ts';
import { recordPrinter } from '../../output/records.ts';
import { conditionOf, type Selection, type TimeRange, timeRangeOf } from '../../select/filter.ts';
import type { Tables } from '../../select/tables.ts';
import { withoutPassword } from '../../store/address.ts';
import { askStore } from '../../store/answer/ask-store.ts';
import { linksAt, rowsAt, rowsFor, uuid } from '../../store/answer/fetch.ts';
import { conditionFor, idConditions, nodesOf } from '../../store/answer/question.ts';
import { lineOf, type Row } from '../../store/answer/record-line.ts';
import { tablesOf } from '../../store/answer/tables.ts';
import { CLICKHOUSE } from '../../store/answer/words.ts';
import { arrivalsOf } from '../../store/arrivals/arrivals.ts';
import { storeCompleteness } from '../../store/arrivals/completeness.ts';
import { type ConnectionOptions, connect, type Store } from '../../store/connect.ts';
import { refuseOtherSchema } from '../../store/refuse.ts';
import { literal, tableOf } from '../../store/schema/literal.ts';
import type { About, Branches, Chain, Hint, Memory, NodeCells, Page, Part } from '../memory.ts';
import { badPlace, partOf } from './part.ts';

/** Where a record is in the order of a store. */
interface Key {
  readonly timestamp: string;
  readonly node: string;
  readonly id: string;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** A store in ClickHouse, as it is whenever somebody asks. */
export class StoreMemory implements Memory {
  readonly #address: string;
  readonly #options: ConnectionOptions;
  readonly #since: string;

  private constructor(address: string, options: ConnectionOptions, since: string) {
    this.#address = address;
    this.#options = options;
    this.#since = since;
  }

  /** Refuses a store that this program cannot read; `since` bounds questions without a time. */
  static async open(
    address: string,
    options: ConnectionOptions,
    since: string,
  ): Promise<StoreMemory> {
    timeRangeOf({ since }, Date.now());
    await using store = connect(address, options);
    await refuseOtherSchema(store);
    return new StoreMemory(address, options, since);
  }

  /** No connection stays open between two questions. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async about(signal: AbortSignal): Promise<About> {
    const times = timeRangeOf({ since: this.#since }, Date.now());
    const { rows } = await this.ask({}, signal, ({ records, ask }) =>
      ask(
        `SELECT toString(min("timestamp")), toString(max("timestamp")), toString(count(*))
         FROM ${records} AS one`,
      ),
    );
    const [first, last, count] = (rows[0] ?? []).map((value) => BigInt(String(value)));
    const { nodes } = await this.#connected(signal, (store) => arrivalsOf(store, undefined, times));
    const path = withoutPassword(this.#address);
    return {
      kind: 'store',
      inputs: [{ path, records: Number(count), skippedLines: 0 }],
      first: count === 0n ? undefined : first,
      last: count === 0n ? undefined : last,
      records: count ?? 0n,
      nodes: nodes.map(({ node }) => node),
      warnings: [],
      completeness: completenessOf(nodes, times),
      loaded: undefined,
      since: this.#since,
    };
  }

  ask<T>(
    selection: Selection,
    signal: AbortSignal,
    question: (tables: Tables) => Promise<T>,
  ): Promise<T> {
    const condition = this.#conditionFor(selection);
    return this.#connected(signal, (store) => question(tablesOf(store, condition)));
  }

  records(selection: Selection, part: Part, signal: AbortSignal): Promise<Page> {
    const condition = this.#conditionFor(selection);
    return this.#connected(signal, (store) => pageOf(store, condition, part));
  }

  roots(selection: Selection, part: Part, signal: AbortSignal): Promise<Branches> {
    const condition = this.#conditionFor(selection);
    return this.#connected(signal, async (store) => {
      const { records } = tablesOf(store, condition);
      const isRoot = `(parent_cause IS NULL OR parent_cause GLOBAL NOT IN (SELECT id FROM ${records} AS all_records))`;
      const isExec = `NOT startsWith("action", 'journal.')`;
      return branchesOf(store, `${condition} AND ${isExec} AND ${isRoot}`, part);
    });
  }

  chain(id: string, hint: Hint, signal: AbortSignal): Promise<Chain> {
    return this.#connected(signal, async (store) => {
      const rows: Row[] = [];
      let found: readonly Row[] | undefined;
      for await (const some of rowsFor(store, { id, ...this.#hintFor(id, hint) }, Date.now())) {
        if (found === undefined)
          checkOne(
            id,
            some.map((row) => String(row.id)),
          );
        found ??= some;
        rows.push(...some);
      }
      const chain = linked(found?.[0], rows);
      const [first] = chain;
      const counts = first === undefined ? [] : await childCounts(store, [keyOf(first)]);
      return { lines: chain.map(lineOf), children: counts[0] ?? 0 };
    });
  }

  children(id: string, part: Part, hint: Hint, signal: AbortSignal): Promise<Branches> {
    return this.#connected(signal, async (store) => {
      for (const condition of idConditions(id, this.#hintFor(id, hint), Date.now())) {
        const links = await linksAt(store, condition);
        const [link] = links;
        if (link === undefined) continue;
        checkOne(
          id,
          links.map((one) => one.id),
        );
        const isChild = `node = ${literal(link.node)} AND parent_cause = ${uuid(link.id)}`;
        return branchesOf(store, isChild, part);
      }
      throw noRecord(id);
    });
  }

  completeness(selection: Selection, signal: AbortSignal): Promise<string> {
    const asked = this.#bounded(selection);
    return this.#connected(signal, (store) =>
      storeCompleteness(store, nodesOf(asked), timeRangeOf(asked, Date.now())),
    );
  }

  cells(
    times: readonly TimeRange[],
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly NodeCells[]> {
    const cells = new Map<string, NodeCells & { readonly cells: NodeCells['cells'][number][] }>();
    return this.#connected(signal, async (store) => {
      for (const { since = 0n, until = 0n } of times) {
        const part = { since, until };
        const { node } = selection;
        const isAsked = conditionOf(node === undefined ? {} : { node }, 0, CLICKHOUSE).sql;
        const isThen = `timestamp >= ${since} AND timestamp < ${until}`;
        const rows = await store.rows<{ node: string; count: string }>(
          `SELECT node, toString(count()) AS count FROM ${tableOf(store, 'records')} FINAL
           WHERE ${isThen} AND ${isAsked} GROUP BY node`,
        );
        const counts = new Map(rows.map((row) => [row.node, Number(row.count)]));
        for (const facts of (await arrivalsOf(store, nodesOf(selection), part)).nodes) {
          const { node: name, first, last } = facts;
          const known = cells.get(name) ?? { node: name, first, last, cells: [] };
          cells.set(name, known);
          known.cells.push({ state: stateOf(facts, part), records: counts.get(name) ?? 0 });
        }
      }
      return [...cells.values()];
    });
  }

  async write(
    selection: Selection,
    form: 'jsonl' | 'csv',
    write: (text: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const asked = this.#bounded(selection);
    const temporary = new Temporary();
    try {
      const opening = askStore(this.#address, { ...this.#options, signal }, asked);
      const journals = await opening.open(temporary);
      try {
        await writeRecords(journals, asked, recordPrinter(form, write));
        return await notesOf(journals);
      } finally {
        journals.close();
      }
    } finally {
      temporary.close();
    }
  }

  async #connected<T>(signal: AbortSignal, ask: (store: Store) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    await using store = connect(this.#address, { ...this.#options, signal });
    return await ask(store);
  }

  #bounded(selection: Selection): Selection & { readonly since: string } {
    return { ...selection, since: selection.since ?? this.#since };
  }

  /** The first conditions are those that use the order and the indexes of the table. */
  #conditionFor(selection: Selection): string {
    const nowMs = Date.now();
    const asked = this.#bounded(selection);
    return `${conditionFor(asked, nowMs)} AND ${conditionOf(asked, nowMs, CLICKHOUSE).sql}`;
  }

  /** The beginning of an id is looked for in the time that questions are about. */
  #hintFor(id: string, { since, node }: Hint): Hint {
    const time = since ?? (UUID.test(id) ? undefined : this.#since);
    return {
      ...(time === undefined ? {} : { since: time }),
      ...(node === undefined ? {} : { node }),
    };
  }
}

async function pageOf(store: Store, condition: string, part: Part): Promise<Page> {
  const { shown, next, prev } = await keysOf(store, condition, part);
  return { lines: await linesAt(store, shown), next, prev };
}

async function branchesOf(store: Store, condition: string, part: Part): Promise<Branches> {
  const { shown, next, prev } = await keysOf(store, condition, part);
  const [lines, children] = [await linesAt(store, shown), await childCounts(store, shown)];
  return { lines, children, next, prev };
}

async function keysOf(store: Store, condition: string, part: Part) {
  const order = part.isBackwards ? 'DESC' : 'ASC';
  const found = await store.rows<Key>(
    `SELECT toString(one.timestamp) AS timestamp, one.node AS node, toString(one.id) AS id
     FROM (SELECT timestamp, node, id FROM ${tableOf(store, 'records')} FINAL
       WHERE ${condition} AND ${conditionOn(part)}) AS one
     ORDER BY one.timestamp ${order}, one.node ${order}, one.id ${order} LIMIT ${part.limit + 1}`,
  );
  return partOf(found, part, placeOf);
}

async function linesAt(store: Store, keys: readonly Key[]): Promise<string[]> {
  const lines = new Map<string, string>();
  for await (const rows of rowsAt(store, keys))
    for (const row of rows) lines.set(placeOf(keyOf(row)), lineOf(row));
  return keys.map((key) => lines.get(placeOf(key)) ?? '').filter((line) => line !== '');
}

/** Returns how many records each of these caused. */
async function childCounts(store: Store, keys: readonly Key[]): Promise<number[]> {
  if (keys.length === 0) return [];
  const nodes = [...new Set(keys.map(({ node }) => literal(node)))];
  const ids = keys.map(({ id }) => uuid(id));
  const rows = await store.rows<{ node: string; cause: string; count: string }>(
    `SELECT node, toString(parent_cause) AS cause, toString(uniqExact(id)) AS count
     FROM ${tableOf(store, 'records')}
     WHERE node IN (${nodes.join(', ')}) AND parent_cause IN (${ids.join(', ')})
     GROUP BY node, parent_cause`,
  );
  const counts = new Map(rows.map(({ node, cause, count }) => [`${cause} ${node}`, Number(count)]));
  return keys.map(({ node, id }) => counts.get(`${id} ${node}`) ?? 0);
}

/** Follows the causes of a record among rows. */
function linked(first: Row | undefined, rows: readonly Row[]): Row[] {
  const byId = new Map(rows.map((row) => [String(row.id), row]));
  const chain = new Set<Row>();
  for (let row = first; row !== undefined && !chain.has(row); ) {
    chain.add(row);
    row = byId.get(String(row.parent_cause));
  }
  return [...chain];
}

/** Refuses the beginning of more than one id, or of none. */
function checkOne(id: string, found: readonly string[]): void {
  const ids = [...new Set(found)];
  if (ids.length === 0) throw noRecord(id);
  if (ids.length > 1)
    throw new ForensicsError(
      'usage',
      `more than one id begins with ${id}: ${ids.slice(0, 5).join(', ')}`,
    );
}

function noRecord(id: string): ForensicsError {
  return new ForensicsError('negative', `no record has the id ${id}`);
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
  if (place === undefined) return from === undefined ? 'true' : `timestamp >= ${from}`;
  const [timestamp, node, id] = keyIn(place);
  const sign = isBackwards ? '<' : '>';
  // The hour is the first part of the table's order.
  return `timestamp ${sign}= ${timestamp} AND (timestamp, node, id) ${sign} (${timestamp}, ${literal(node)}, ${uuid(id)})`;
}

function keyIn(place: string): [timestamp: string, node: string, id: string] {
  const text = Buffer.from(place, 'base64url').toString();
  const [, timestamp, node, id] =
    /^\["(-?\d{1,19})",("(?:[^"\\]|\\.)*"),"([^"\\]*)"\]$/.exec(text) ?? [];
  if (timestamp === undefined || node === undefined || id === undefined || !UUID.test(id))
    throw badPlace();
  try {
    return [timestamp, JSON.parse(node), id];
  } catch {
    throw badPlace();
  }
}
