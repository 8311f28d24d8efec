import { countBeyond, type Range } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import { timeCondition } from '../answer/question.ts';
import type { Store } from '../connect.ts';
import { literal, literals, tableOf } from '../schema/literal.ts';

/** How many records one query names. */
const ASKED_AT_ONCE = 2000;

/** A cause that is not there, or an id that is there twice. */
export interface Odd {
  readonly node: string;
  readonly id: string;
  /** an effect of the missing cause, and its boot; undefined: the id is there twice */
  readonly effect?: { readonly id: string; readonly boot: string };
}

/** Asks a store for what an audit of all nodes compares. */
export class Facts {
  readonly #store: Store;
  readonly #isAsked: string;

  constructor(store: Store, times: TimeRange) {
    this.#store = store;
    this.#isAsked = timeCondition(times);
  }

  /** Yields causes that are not on the node of their effect, and ids of a node that are there twice. */
  async *odd(): AsyncGenerator<Odd> {
    const rows = this.#store.stream<{
      node: string;
      id: string;
      is_there: boolean;
      effect: string;
      boot: string;
    }>(
      `SELECT node, toString(key) AS id, is_there, toString(effect) AS effect, toString(boot) AS boot
       FROM (SELECT node, key, max(is_record) AS is_there, argMin(child, t) AS effect,
           argMin(child_boot, t) AS boot, minIf(t, is_record) AS earliest, maxIf(t, is_record) AS latest
         FROM (
           SELECT node, id AS key, timestamp AS t, true AS is_record, NULL AS child, NULL AS child_boot
           FROM ${tableOf(this.#store, 'records')} WHERE ${this.#isAsked}
           UNION ALL
           SELECT node, assumeNotNull(parent_cause) AS key, timestamp AS t, false AS is_record, id AS child,
             boot_id AS child_boot
           FROM ${tableOf(this.#store, 'records')} WHERE ${this.#isAsked} AND parent_cause IS NOT NULL)
         GROUP BY node, key HAVING NOT is_there OR earliest != latest)
       ORDER BY node, id`,
    );
    const waiting: Odd[] = [];
    for await (const found of rows)
      for (const { node, id, is_there, effect, boot } of found) {
        if (is_there) yield { node, id };
        else waiting.push({ node, id, effect: { id: effect, boot } });
        if (waiting.length >= ASKED_AT_ONCE) yield* await this.#absent(waiting.splice(0));
      }
    yield* await this.#absent(waiting);
  }

  /** Leaves out the causes that are there at another time. */
  async #absent(causes: readonly Odd[]): Promise<Odd[]> {
    if (causes.length === 0) return [];
    const pairs = causes.map(({ node, id }) => `(${literal(node)}, toUUID(${literal(id)}))`);
    const rows = await this.#store.rows<{ node: string; id: string }>(
      // Without its table, an id in the condition would be the text that is selected.
      `SELECT DISTINCT one.node AS node, toString(one.id) AS id
       FROM ${tableOf(this.#store, 'records')} AS one
       WHERE one.node IN (${literals(causes.map(({ node }) => node))}) AND one.id IN (${causes.map(({ id }) => `toUUID(${literal(id)})`).join(', ')})
         AND (one.node, one.id) IN (${pairs.join(', ')})`,
    );
    const there = new Set(rows.map(({ node, id }) => `${node}/${id}`));
    return causes.filter(({ node, id }) => !there.has(`${node}/${id}`));
  }

  /** Returns how many records of execs are there, by node and boot. */
  async left(nodes: readonly string[]): Promise<Map<string, number>> {
    if (nodes.length === 0) return new Map();
    const rows = await this.#store.rows<{ boot: string; count: string }>(
      `SELECT concat(node, '/', toString(boot_id)) AS boot, toString(uniqExact(id)) AS count
       FROM ${tableOf(this.#store, 'records')}
       WHERE node IN (${literals(nodes)}) AND action = 'exec' GROUP BY boot`,
    );
    return new Map(rows.map(({ boot, count }) => [boot, Number(count)]));
  }

  /** Returns how many numbers agents have deleted before their export, by node and boot. */
  async deleted(nodes: readonly string[]): Promise<Map<string, number>> {
    if (nodes.length === 0) return new Map();
    const rows = await this.#store.rows<{ boot: string; cpu: string; first: string; last: string }>(
      `SELECT DISTINCT concat(node, '/', toString(boot_id)) AS boot, concat(loss_hook_id, '/', toString(loss_cpu)) AS cpu,
         toString(loss_first_seq) AS first, toString(loss_last_seq) AS last
       FROM ${tableOf(this.#store, 'journal')}
       WHERE node IN (${literals(nodes)}) AND action = 'journal.loss'
         AND loss_stage = 'retention' AND loss_first_seq IS NOT NULL`,
    );
    const byCpu = Map.groupBy(rows, ({ boot, cpu }) => JSON.stringify([boot, cpu]));
    const deleted = new Map<string, number>();
    for (const ranges of byCpu.values()) {
      const { boot = '' } = ranges[0] ?? {};
      const all = ranges.map(
        ({ first, last }): Range => ({ first: Number(first), last: Number(last) }),
      );
      deleted.set(boot, (deleted.get(boot) ?? 0) + countBeyond(all, []));
    }
    return deleted;
  }

  /** Returns execs whose id is not that of their boot, time and process (RFC 9562, version 5). */
  async wrongIds(limit: number): Promise<{ node: string; id: string }[]> {
    return this.#store.rows(
      `SELECT node, toString(id) AS id FROM (
         SELECT DISTINCT node, id, boot_time, pid,
           SHA1(concat(unhex(replaceAll(toString(boot_id), '-', '')), toString(boot_time), ':', toString(pid))) AS sha
         FROM ${tableOf(this.#store, 'records')}
         WHERE ${this.#isAsked} AND action = 'exec' AND boot_id IS NOT NULL AND boot_time IS NOT NULL
           AND pid IS NOT NULL)
       WHERE lower(replaceAll(toString(id), '-', '')) != lower(concat(
         substring(hex(assumeNotNull(sha)), 1, 12), '5', substring(hex(assumeNotNull(sha)), 14, 3),
         hex(bitOr(bitAnd(reinterpretAsUInt8(substring(assumeNotNull(sha), 9, 1)), 63), 128)),
         substring(hex(assumeNotNull(sha)), 19, 14)))
       ORDER BY node, id LIMIT ${limit}`,
    );
  }

  /** Returns records about the journal that are there twice, and differ. */
  async unequal(): Promise<{ node: string; id: string }[]> {
    return this.#store.rows(
      `SELECT node, toString(id) AS id FROM ${tableOf(this.#store, 'journal')} WHERE ${this.#isAsked}
       GROUP BY node, id HAVING uniqExact(content) > 1 AND uniqExact(timestamp) = 1 ORDER BY node, id`,
    );
  }

  /** Returns boots that several nodes claim. */
  async sharedBoots(): Promise<{ boot: string; nodes: string[] }[]> {
    return this.#store.rows(
      `SELECT toString(boot_id) AS boot, arraySort(groupUniqArray(node)) AS nodes
       FROM ${tableOf(this.#store, 'coverage')}
       GROUP BY boot_id HAVING length(nodes) > 1 ORDER BY boot`,
    );
  }
}
