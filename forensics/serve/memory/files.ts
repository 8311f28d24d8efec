import { rfc3339Of } from '../../../record/time.ts';
import { type Numbered, nodeFactsIn } from '../../completeness/facts.ts';
import { completenessOf } from '../../completeness/sentence.ts';
import type { Graph } from '../../graph.ts';
import type { Journals } from '../../journals.ts';
import { notesOf } from '../../output/notes.ts';
import { recordPrinter } from '../../output/records.ts';
import { checkCondition } from '../../select/condition.ts';
import { conditionOf, type Selection, type TimeRange, timeRangeOf } from '../../select/filter.ts';
import { entriesByTime } from '../../select/ordered.ts';
import { type Tables, tablesIn } from '../../select/tables.ts';
import { HOUR_NS } from '../../select/time.ts';
import { isWholeId } from '../../store/answer/question.ts';
import type { About, Branches, Chain, Memory, NodeCells, Page, Part, Which } from '../memory.ts';
import { Refusal } from '../refusal.ts';
import { CellsByNode } from './cells.ts';
import { type Connected, connected } from './connection.ts';
import { KnownAnswers } from './known-answers.ts';
import { offTimesOf, TURNS } from './off-times.ts';
import { onlyOne } from './only-one.ts';
import { badPlace, endsOf, offsetOf, partOf } from './part.ts';
import { BY_HOUR, HOURS, REPORTS, SERVED, serveTables } from './tables.ts';

/** How much text an answer may have. */
const TEXT_MAX = 64 << 20;

/** Files as they were when they were read. */
export class FilesMemory implements Memory {
  readonly #journals: Journals;
  readonly #graph: Graph;
  readonly #loaded: bigint;
  readonly #answers = new KnownAnswers();
  #roots: { readonly selection: string; readonly rows: readonly number[] } | undefined;

  private constructor(journals: Journals, graph: Graph, loaded: bigint) {
    this.#journals = journals;
    this.#graph = graph;
    this.#loaded = loaded;
  }

  /** Reads journals once; they are closed with it. */
  static async read(journals: Journals): Promise<FilesMemory> {
    const loaded = BigInt(Date.now()) * 1_000_000n;
    const graph = await serveTables(journals);
    await journals.confine();
    return new FilesMemory(journals, graph, loaded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#journals.close();
  }

  async about(signal: AbortSignal): Promise<About> {
    const [seen, nodes] = await this.#connected(signal, async ({ rows }) => [
      await rows(`SELECT min("timestamp"), max("timestamp"), count(*) FROM ${SERVED}`),
      await rows(`SELECT DISTINCT node FROM ${HOURS} ORDER BY node`),
    ]);
    const [first, last, records] = seen?.[0] ?? [];
    const { files, extents } = this.#journals;
    return {
      kind: 'files',
      inputs: files.map(({ path }, index) => {
        const { count = 0, skipped = 0, again = 0 } = extents[index] ?? {};
        return { path, records: count - skipped - again, skippedLines: skipped };
      }),
      first: first === null ? undefined : BigInt(first as bigint),
      last: last === null ? undefined : BigInt(last as bigint),
      records: BigInt(records as bigint),
      nodes: (nodes ?? []).map(([node]) => String(node)),
      warnings: await notesOf(this.#journals),
      completeness: await this.completeness({}, signal),
      loaded: this.#loaded,
      since: undefined,
    };
  }

  ask<T>(
    selection: Selection,
    signal: AbortSignal,
    question: (tables: Tables) => Promise<T>,
  ): Promise<T> {
    return this.#connected(signal, async (own) => {
      const tables = tablesIn(own, SERVED, await checked(own, selection));
      return question({ ...tables, ask: (sql) => this.#answers.of(sql, () => tables.ask(sql)) });
    });
  }

  records(selection: Selection, part: Part, signal: AbortSignal): Promise<Page> {
    const isThere = conditionOn(part);
    // Forwards, the order is that of the table, so that DuckDB reads no more than it needs.
    const order = part.isBackwards ? 'ORDER BY "at" DESC, row DESC' : '';
    return this.#connected(signal, async (own) => {
      const found = await own.rows(
        `SELECT row, "at" FROM ${SERVED} WHERE ${await checked(own, selection)} AND ${isThere}
         ${order} LIMIT ${part.limit + 1}`,
      );
      const { shown, next, prev } = partOf(found, part, ([row, at]) => `${at}.${row}`);
      const rows = shown.map(([row]) => Number(row));
      return { lines: await this.#lines(rows, signal), next, prev };
    });
  }

  async roots(selection: Selection, part: Part, signal: AbortSignal): Promise<Branches> {
    // Further parts are about the time that the first one was about.
    const [place, asked = `${Date.now()}`] = part.place?.split('-') ?? [];
    if (!/^\d{1,15}$/.test(asked)) throw badPlace();
    const fixed = { ...selection, ...fixedTimes(selection, Number(asked)) };
    const key = JSON.stringify(fixed);
    if (this.#roots?.selection !== key)
      this.#roots = { selection: key, rows: await this.#rootsOf(fixed, signal) };
    const found = await this.#branches(this.#roots.rows, { ...part, place }, signal);
    return { ...found, next: found.next === undefined ? undefined : `${found.next}-${asked}` };
  }

  async chain(which: Which, signal: AbortSignal): Promise<Chain> {
    const row = await this.#find(which, signal);
    const chain = this.#graph.chainOf(row);
    const shown = endsOf(chain);
    return {
      lines: await this.#lines(shown, signal),
      between: chain.length - shown.length,
      isCircle: this.#graph.parentOf(chain.at(-1) ?? row) !== undefined,
      children: this.#graph.childrenOf(row).length,
    };
  }

  async children(which: Which, part: Part, signal: AbortSignal): Promise<Branches> {
    return this.#branches(this.#graph.childrenOf(await this.#find(which, signal)), part, signal);
  }

  completeness(selection: Selection, signal: AbortSignal): Promise<string> {
    const nowMs = Date.now();
    const times = timeRangeOf(selection, nowMs);
    return this.#connected(signal, async (own) => {
      const nodes = await nodeFactsIn(this.#numbered(own, selection, times), times);
      return completenessOf(nodes, times);
    });
  }

  cells(
    times: readonly TimeRange[],
    selection: Selection,
    signal: AbortSignal,
  ): Promise<readonly NodeCells[]> {
    return this.#connected(signal, async (own) => {
      const { node } = selection;
      const isAsked = conditionOf(node === undefined ? {} : { node }, 0).sql;
      const counted = await own.rows(
        `SELECT node, "hour", sum(records) FROM ${HOURS} WHERE ${isAsked} GROUP BY node, "hour"`,
      );
      const turns = await own.rows(
        `SELECT node, "timestamp", "action" = 'journal.stop' FROM ${REPORTS}
         WHERE ${TURNS} AND node IS NOT NULL AND "timestamp" IS NOT NULL ORDER BY "timestamp"`,
      );
      const offTimes = offTimesOf(
        turns.map(([name, at, isStop]) => ({
          node: String(name),
          timestamp: BigInt(at as bigint),
          isStop: isStop === true,
        })),
      );
      const byNode = Map.groupBy(counted, ([name]) => String(name));
      const cells = new CellsByNode(offTimes);
      for (const { since = 0n, until = 0n } of times) {
        const part = { since, until };
        for (const facts of await nodeFactsIn(this.#numbered(own, selection, part), part)) {
          const records = (byNode.get(facts.node) ?? [])
            .filter(([, hour]) => isWithin(BigInt(hour as bigint) * HOUR_NS, part))
            .reduce((sum, [, , count]) => sum + Number(count), 0);
          cells.add(facts, part, records);
        }
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
    const rows = await this.#connected(signal, async (own) =>
      own.integers(`SELECT row FROM ${SERVED} WHERE ${await checked(own, selection)} ORDER BY row`),
    );
    const printer = recordPrinter(form, write);
    for await (const entry of entriesByTime(this.#journals, rows)) {
      signal.throwIfAborted();
      await printer.record(entry);
    }
    await printer.end();
    return [await this.completeness(selection, signal), ...(await notesOf(this.#journals))];
  }

  #connected<T>(signal: AbortSignal, ask: (own: Connected) => Promise<T>): Promise<T> {
    return connected(this.#journals, signal, ask);
  }

  #find(which: Which, signal: AbortSignal): Promise<number> {
    return this.#connected(signal, async (own) => {
      const places = await placesOf(own, which.id);
      const isPlaced = which.on !== undefined || which.at !== undefined;
      const isBeginning = !isPlaced && (places.length === 0 || !isWholeId(which.id));
      if (!isBeginning) return onlyOne(which, places).row;
      const id = await this.#graph.keyOf(which.id, own);
      return onlyOne({ ...which, id }, await placesOf(own, id)).row;
    });
  }

  /** Whole hours are in smaller tables. */
  #numbered(
    { rows }: Connected,
    { node }: Selection,
    { since = 0n, until = 0n }: TimeRange,
  ): Numbered {
    const areHours = since % HOUR_NS === 0n && until % HOUR_NS === 0n;
    return {
      records: SERVED,
      ...(areHours ? BY_HOUR : {}),
      condition: conditionOf(node === undefined ? {} : { node }, 0).sql,
      rows,
      isExported: (row) => this.#journals.placeOf(row).file.hasLogs,
    };
  }

  async #rootsOf(selection: Selection, signal: AbortSignal): Promise<readonly number[]> {
    const rows = await this.#connected(signal, async (own) =>
      own.integers(
        `SELECT row FROM ${SERVED} WHERE ${await checked(own, selection)}
         AND NOT starts_with("action", 'journal.') ORDER BY "at", row`,
      ),
    );
    // A set of ten million rows takes half a gigabyte.
    const chosen = new Uint8Array(rows.reduce((most, row) => Math.max(most, row + 1), 0));
    for (const row of rows) chosen[row] = 1;
    return rows.filter((row) => chosen[this.#graph.parentOf(row) ?? -1] !== 1);
  }

  async #branches(rows: ArrayLike<number>, part: Part, signal: AbortSignal): Promise<Branches> {
    const from = offsetOf(part);
    const shown = Array.prototype.slice.call(rows, from, from + part.limit) as number[];
    const end = from + shown.length;
    return {
      lines: await this.#lines(shown, signal),
      children: shown.map((row) => this.#graph.childrenOf(row).length),
      next: end < rows.length ? `${end}` : undefined,
      prev: undefined,
    };
  }

  /** Returns the lines of rows in their order. */
  async #lines(rows: readonly number[], signal: AbortSignal): Promise<string[]> {
    const lines = new Map<number, string>();
    let size = 0;
    for await (const { row, text } of this.#journals.entries(rows.toSorted((a, b) => a - b))) {
      signal.throwIfAborted();
      size += text.length;
      if (size > TEXT_MAX)
        throw new Refusal(
          413,
          'these records are too long for one answer: ask for fewer at a time',
        );
      lines.set(row, text);
    }
    return rows.map((row) => lines.get(row) ?? '');
  }
}

/** Returns the records with an id, or its key, and where they are. */
async function placesOf({ rows }: Connected, id: string) {
  const found = await rows(
    `SELECT row, coalesce(node, ''), coalesce("timestamp", 0) FROM ${SERVED}
     WHERE row IN (SELECT rowid FROM links WHERE id = record_key($1)) ORDER BY row`,
    [id],
  );
  return found.map(([row, node, at]) => ({
    row: Number(row),
    node: String(node),
    at: BigInt(at as bigint),
  }));
}

async function checked({ rows }: Connected, selection: Selection): Promise<string> {
  const condition = conditionOf(selection, Date.now());
  await checkCondition(rows, SERVED, condition);
  return condition.sql;
}

/** Returns the times of a selection as they are at a moment; one before 1970 stays as it is. */
function fixedTimes(selection: Selection, nowMs: number): Pick<Selection, 'since' | 'until'> {
  const times = Object.entries(timeRangeOf(selection, nowMs)).filter(
    ([, time = -1n]) => time >= 0n,
  );
  return Object.fromEntries(times.map(([name, time = 0n]) => [name, rfc3339Of(time) ?? '']));
}

function isWithin(
  time: bigint,
  { since, until }: { readonly since: bigint; readonly until: bigint },
) {
  return time >= since && time < until;
}

/** Returns the condition for records behind or before a place: the time and the row of a record. */
function conditionOn({ place, isBackwards, from }: Part): string {
  if (place === undefined) return from === undefined ? 'true' : `"at" >= ${from}`;
  const [, at, row] = /^(-?\d{1,19})\.(\d{1,12})$/.exec(place) ?? [];
  if (at === undefined || BigInt.asIntN(64, BigInt(at)) !== BigInt(at)) throw badPlace();
  const sign = isBackwards ? '<' : '>';
  return `("at" ${sign} ${at} OR ("at" = ${at} AND row ${sign} ${row}))`;
}
