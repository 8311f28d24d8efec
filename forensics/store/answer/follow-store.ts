import { setTimeout as pause } from 'node:timers/promises';
import type { Followed } from '../../inputs/follow.ts';
import type { Selection } from '../../select/filter.ts';
import { type ConnectionOptions, connect, type Store } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { literals, tableOf } from '../schema/literal.ts';
import { inParts, selectRows, uuid } from './fetch.ts';
import { conditionFor, timeCondition } from './question.ts';
import { lineOf, type Row } from './record-line.ts';

const POLL_MS = 1000;
/** A record that arrives later than this is not followed. */
const LATE_NS = 600_000_000_000n;
/** A shard may show a row later than another one that was inserted after it. */
const OVERLAP_NS = 60_000_000_000n;

/** Follows the records of a selection in a store, from now on. */
export async function followStore(
  address: string,
  options: ConnectionOptions,
  selection: Selection,
): Promise<Followed> {
  const store = connect(address, options);
  await refuseOtherSchema(store);
  const newest = new NewRows(store, conditionFor(selection, Date.now()));
  await newest.begin();
  return {
    async *read() {
      const rows = await newest.rows();
      if (rows.length > 0) yield Buffer.from(rows.map((row) => `${lineOf(row)}\n`).join(''));
      await pause(POLL_MS);
    },
    close: async () => store[Symbol.asyncDispose](),
  };
}

/** A row that was inserted. */
interface Inserted {
  readonly key: string;
  readonly node: string;
  readonly id: string;
  readonly version: bigint;
}

/**
 * The rows that were inserted since the last call, of records of the last ten minutes or later. A row's
 * version falls with the time at which it was inserted.
 */
class NewRows {
  readonly #store: Store;
  readonly #condition: string;
  #version = '0';
  /** by record, the version of the rows that were returned and may come again */
  #known = new Map<string, bigint>();

  constructor(store: Store, condition: string) {
    this.#store = store;
    this.#condition = condition;
  }

  /** What is there now is not new. */
  async begin(): Promise<void> {
    const [now] = await this.#store.rows<{ version: string }>(
      'SELECT toString(bitNot(toUInt64(toUnixTimestamp64Nano(now64(9))))) AS version',
    );
    this.#version = now?.version ?? '0';
    for (const { key, version } of await this.#inserted()) this.#known.set(key, version);
  }

  async rows(): Promise<readonly Row[]> {
    const since = BigInt(this.#version) + OVERLAP_NS;
    const inserted = (await this.#inserted()).filter(({ key }) => !this.#known.has(key));
    for (const { key, version } of inserted) {
      this.#known.set(key, version);
      if (version < BigInt(this.#version)) this.#version = `${version}`;
    }
    const oldest = BigInt(this.#version) + 2n * OVERLAP_NS;
    for (const [key, version] of this.#known) if (version > oldest) this.#known.delete(key);
    const rows: Row[] = [];
    for (const some of inParts(inserted)) rows.push(...(await this.#rowsOf(some, since)));
    return rows;
  }

  /** Leaves out replays of what was inserted before, whose first row has a higher version. */
  async #rowsOf(some: readonly Inserted[], since: bigint): Promise<readonly Row[]> {
    const ids = some.map(({ id }) => uuid(id));
    const nodes = literals(some.map(({ node }) => node));
    const isOne = `node IN (${nodes}) AND id IN (${ids.join(', ')})`;
    const rows = await this.#store.rows<Row>(
      selectRows(this.#store, `${this.#recently} AND ${isOne}`),
    );
    const firsts = await this.#store.rows<{ key: string; first: string }>(
      `SELECT concat(node, '/', toString(id), '/', toString(timestamp)) AS key, toString(max(version)) AS first
       FROM ${tableOf(this.#store, 'records')} WHERE ${this.#recently} AND ${isOne}
       GROUP BY node, records.id, records.timestamp`,
    );
    const old = new Set(firsts.filter(({ first }) => BigInt(first) >= since).map(({ key }) => key));
    return rows.filter(({ node, id, timestamp }) => !old.has(`${node}/${id}/${timestamp}`));
  }

  async #inserted(): Promise<Inserted[]> {
    const since = BigInt(this.#version) + OVERLAP_NS;
    const rows = await this.#store.rows<{ node: string; id: string; at: string; newest: string }>(
      `SELECT node, toString(id) AS id, toString(timestamp) AS at, toString(max(version)) AS newest
       FROM ${tableOf(this.#store, 'records')}
       WHERE ${this.#recently} AND version < ${since} AND (${this.#condition})
       GROUP BY node, records.id, records.timestamp`,
    );
    return rows.map(({ node, id, at, newest }) => ({
      key: `${node}/${id}/${at}`,
      node,
      id,
      version: BigInt(newest),
    }));
  }

  get #recently(): string {
    return timeCondition({ since: BigInt(Date.now()) * 1_000_000n - LATE_NS });
  }
}
