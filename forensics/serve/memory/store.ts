import { writeRecords } from '../../commands/query.ts';
import { ForensicsError } from '../../errors.ts';
import { Temporary } from '../../inputs/temporary.ts';
import { notesOf } from '../../output/notes.ts';
import { recordPrinter } from '../../output/records.ts';
import { conditionOf, type Selection, type TimeRange, timeRangeOf } from '../../select/filter.ts';
import type { Tables } from '../../select/tables.ts';
import { momentOf } from '../../select/time.ts';
import { withoutPassword } from '../../store/address.ts';
import { askStore } from '../../store/answer/ask-store.ts';
import { causesOf, type Link, rowsAt, uuid, withId } from '../../store/answer/fetch.ts';
import {
  conditionFor,
  idConditions,
  isWholeId,
  nodesOf,
  timeCondition,
} from '../../store/answer/question.ts';
import { lineOf, type Row } from '../../store/answer/record-line.ts';
import { tablesOf } from '../../store/answer/tables.ts';
import { CLICKHOUSE } from '../../store/answer/words.ts';
import { arrivalsOf } from '../../store/arrivals/arrivals.ts';
import { type EqualParts, factsByPart } from '../../store/arrivals/by-part.ts';
import { completenessFor, completenessIn, nodesAsked } from '../../store/arrivals/completeness.ts';
import { type ConnectionOptions, connect, type Store } from '../../store/connect.ts';
import { refuseOtherSchema } from '../../store/refuse.ts';
import { literal, tableOf } from '../../store/schema/literal.ts';
import type { About, Branches, Chain, Memory, NodeCells, Page, Part, Which } from '../memory.ts';
import { CellsByNode } from './cells.ts';
import { offTimesOf, TURNS } from './off-times.ts';
import { onlyOne } from './only-one.ts';
import { endsOf } from './part.ts';
import { branchesOf, childCounts, pageOf } from './store-pages.ts';

const AMBIGUOUS_SHOWN = 5;

const NS_PER_MS = 1_000_000n;

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
      completeness: completenessIn(nodes, times, false),
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
    const nowMs = Date.now();
    const { since = 0n, until = BigInt(nowMs) * 1_000_000n } = timeRangeOf(
      this.#bounded(selection),
      nowMs,
    );
    return this.#connected(signal, (store) => pageOf(store, condition, part, { since, until }));
  }

  roots(selection: Selection, part: Part, signal: AbortSignal): Promise<Branches> {
    const condition = this.#conditionFor(selection);
    return this.#connected(signal, async (store) => {
      const { records } = tablesOf(store, condition);
      const isRoot = `(parent_cause IS NULL OR (node, assumeNotNull(parent_cause)) GLOBAL NOT IN (
        SELECT node, id FROM ${records} AS all_records))`;
      const isExec = `NOT startsWith("action", 'journal.')`;
      return branchesOf(store, `${condition} AND ${isExec} AND ${isRoot}`, part);
    });
  }

  chain(which: Which, signal: AbortSignal): Promise<Chain> {
    return this.#connected(signal, async (store) => {
      const link = await this.#find(store, which);
      const chain = linked([link, ...(await causesOf(store, link))]);
      const shown = endsOf(chain);
      const rows = new Map<string, Row>();
      for await (const some of rowsAt(store, shown))
        for (const row of some) rows.set(keyOf(row), row);
      const [children = 0] = await childCounts(store, [link]);
      const found = shown.map((one) => rows.get(keyOf(one))).filter((one) => one !== undefined);
      return {
        lines: found.map(lineOf),
        between: chain.length - shown.length,
        isCircle: chain.some(({ id: one }) => one === chain.at(-1)?.parent_cause),
        children,
      };
    });
  }

  children(which: Which, part: Part, signal: AbortSignal): Promise<Branches> {
    return this.#connected(signal, async (store) => {
      const link = await this.#find(store, which);
      const isChild = `node = ${literal(link.node)} AND parent_cause = ${uuid(link.id)}`;
      return branchesOf(store, isChild, part);
    });
  }

  completeness(selection: Selection, signal: AbortSignal): Promise<string> {
    const asked = this.#bounded(selection);
    return this.#connected(signal, (store) =>
      completenessFor(store, asked, timeRangeOf(asked, Date.now())),
    );
  }

  cells(
    times: readonly TimeRange[],
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly NodeCells[]> {
    return this.#connected(signal, async (store) => {
      const turns = await store.rows<{ node: string; at: string; is_stop: number }>(
        `SELECT node, toString(timestamp) AS at, toUInt8(action = 'journal.stop') AS is_stop
         FROM ${tableOf(store, 'journal')} WHERE ${TURNS} ORDER BY journal.timestamp`,
      );
      const offTimes = offTimesOf(
        turns.map(({ node, at, is_stop }) => ({
          node,
          timestamp: BigInt(at),
          isStop: is_stop === 1,
        })),
      );
      const counts = await countsOf(store, times);
      const isAsked = await nodesAsked(store, selection);
      const facts = await factsByPart(store, nodesOf(selection), partsIn(times));
      const cells = new CellsByNode(offTimes);
      for (const [index, nodes] of facts.entries()) {
        const { since, until = 0n } = times[index] ?? {};
        for (const one of nodes.filter(({ node }) => isAsked(node)))
          cells.add(one, { since, until }, counts.get(`${index} ${one.node}`) ?? 0);
      }
      return cells.all;
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
        return [journals.completeness ?? '', ...(await notesOf(journals))];
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

  /** The time that questions are about by default ends where a question says so. */
  #bounded(selection: Selection): Selection & { readonly since: string } {
    const { since, until } = selection;
    if (since !== undefined || until === undefined)
      return { ...selection, since: since ?? this.#since };
    const end = momentOf(until, Date.now()) / NS_PER_MS;
    const begin = momentOf(this.#since, Number(end)) / NS_PER_MS;
    return { ...selection, since: new Date(Number(begin)).toISOString() };
  }

  /** The first conditions are those that use the order and the indexes of the table. */
  #conditionFor(selection: Selection): string {
    const nowMs = Date.now();
    const asked = this.#bounded(selection);
    return `${conditionFor(asked, nowMs)} AND ${conditionOf(asked, nowMs, CLICKHOUSE).sql}`;
  }

  /** The beginning of an id is looked for in the time that questions are about. */
  async #find(store: Store, which: Which): Promise<Link> {
    const { id, on, at, hint } = which;
    const { since = isWholeId(id) ? undefined : this.#since, node } = hint;
    const place = { ...(since && { since }), ...(node && { node }) };
    const isIt = [
      ...(on === undefined ? [] : [`node = ${literal(on)}`]),
      ...(at === undefined ? [] : [`timestamp = ${at}`]),
    ];
    const conditions = idConditions(id, isIt.length === 0 ? place : {}, Date.now());
    const links = await withId(
      store,
      conditions.map((one) => [one, ...isIt].join(' AND ')),
    );
    const ids = [...new Set(links.map((link) => link.id))];
    if (ids.length <= 1)
      return onlyOne(
        which,
        links.map((link) => ({ ...link, at: BigInt(link.timestamp) })),
      );
    const some = ids.slice(0, AMBIGUOUS_SHOWN).join(', ');
    throw new ForensicsError('usage', `more than one id begins with ${id}: ${some}`);
  }
}

/** The parts of a time are equally long, and follow each other. */
function partsIn(times: readonly TimeRange[]): EqualParts {
  const [{ since = 0n, until: end = 0n } = {}] = times;
  return { since, until: times.at(-1)?.until ?? end, step: end - since };
}

/** Returns how many records a node has in a part of a time, by the number of the part and the name. */
async function countsOf(
  store: Store,
  times: readonly TimeRange[],
): Promise<ReadonlyMap<string, number>> {
  const { since, until, step } = partsIn(times);
  const rows = await store.rows<{ part: string; node: string; count: string }>(
    `SELECT toString(intDiv(timestamp - ${since}, ${step})) AS part, node,
       toString(count()) AS count
     FROM ${tableOf(store, 'records')} FINAL
     WHERE ${timeCondition({ since, until })} GROUP BY part, node`,
  );
  return new Map(rows.map(({ part, node, count }) => [`${part} ${node}`, Number(count)]));
}

/** Follows the causes of the first of some links among the others. */
function linked(links: readonly Link[]): Link[] {
  const byId = new Map(links.map((link) => [link.id, link]));
  const chain = new Set<Link>();
  for (let link = links[0]; link !== undefined && !chain.has(link); ) {
    chain.add(link);
    link = byId.get(String(link.parent_cause));
  }
  return [...chain];
}

function keyOf({ timestamp, id }: Pick<Row, 'timestamp'> & { readonly id?: unknown }): string {
  return `${timestamp} ${id}`;
}
