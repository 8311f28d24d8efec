import type { Range } from '../../ranges.ts';
import type { TimeRange } from '../../select/filter.ts';
import type { Store } from '../connect.ts';
import { identifier, literal } from '../schema/literal.ts';

/** More numbers than this of one CPU are not listed, but counted. */
const LISTED_MAX = 1_000_000;
/** How many records one query names. */
const ASKED_AT_ONCE = 2000;
const NANOSECONDS = 1_000_000_000n;

/** The numbers of one CPU under one hook. */
export interface Cpu {
  readonly node: string;
  readonly boot: string;
  readonly hook: string;
  readonly cpu: string;
}

/** The numbers that did not arrive up to the last that did. */
export interface Holes extends Cpu {
  readonly count: number;
  /** the first number that should have arrived, and the last one that did */
  readonly span: Range;
  /** undefined: there are too many */
  readonly ranges: readonly Range[] | undefined;
}

/** Numbers that a record about the journal names. */
export interface Reported extends Cpu, Range {
  /** the stage of a loss, or `withheld` */
  readonly kind: string;
}

/** What has arrived, and what is left of it. */
export interface Presence {
  readonly arrived: readonly (Cpu & { readonly count: number; readonly lowest: number })[];
  /** by `node/boot` */
  readonly left: ReadonlyMap<string, number>;
}

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
  readonly #isAskedHour: string;

  constructor(store: Store, { since, until }: TimeRange) {
    this.#store = store;
    const all = [
      ...(since === undefined ? [] : [`timestamp >= ${since}`]),
      ...(until === undefined ? [] : [`timestamp < ${until}`]),
    ];
    const hours = [
      ...(since === undefined ? [] : [`hour >= toStartOfHour(${secondsOf(since)})`]),
      ...(until === undefined ? [] : [`hour < ${secondsOf(until)}`]),
    ];
    this.#isAsked = all.join(' AND ') || 'true';
    this.#isAskedHour = hours.join(' AND ') || 'true';
  }

  /** Returns how many nodes have records. */
  async nodes(): Promise<number> {
    const [row] = await this.#store.rows<{ nodes: string }>(
      `SELECT toString(uniqExact(node)) AS nodes FROM ${this.#table('coverage')}
       WHERE ${this.#isAskedHour}`,
    );
    return Number(row?.nodes ?? 0);
  }

  /**
   * Returns the holes in the numbers of each CPU. They begin with the first number that arrived, or with
   * the first one of a hook that was attached in this time.
   */
  async holes(): Promise<Holes[]> {
    const isAttached = `action = 'journal.start' AND hook_state = 'attached' AND ${this.#isAsked}`;
    const first = `if((node, boot_id, hook_id) GLOBAL IN (
        SELECT node, assumeNotNull(boot_id), coalesce(hook_id, '') FROM ${this.#table('journal')}
        WHERE ${isAttached}), 1, min(c.first))`;
    const rows = await this.#store.rows<Cpu & { missing: string; low: string; high: string }>(
      `SELECT node, toString(boot_id) AS boot, hook_id AS hook, toString(own_cpu) AS cpu,
         toString(lowest) AS low, toString(highest) AS high,
         toString(highest - lowest + 1 - arrived) AS missing
       FROM (SELECT node, boot_id, hook_id, c.cpu AS own_cpu, ${first} AS lowest,
           max(c.last) AS highest, toInt64(groupBitmapMerge(seqs)) AS arrived
         FROM ${this.#table('coverage')} AS c WHERE ${this.#isAskedHour}
         GROUP BY node, boot_id, hook_id, c.cpu)
       WHERE highest - lowest + 1 > arrived ORDER BY node, boot_id, hook_id, own_cpu`,
    );
    const holes: Holes[] = [];
    for (const row of rows) {
      const count = Number(row.missing);
      const ranges = count > LISTED_MAX ? undefined : await this.#missing(row);
      const span = { first: Number(row.low), last: Number(row.high) };
      holes.push({ ...row, count, span, ranges });
    }
    return holes;
  }

  async #missing(one: Cpu & { low: string; high: string }): Promise<Range[]> {
    const rows = await this.#store.rows<{ first: string; last: string }>(
      `SELECT toString(min(number)) AS first, toString(max(number)) AS last
       FROM (SELECT number, number - row_number() OVER (ORDER BY number) AS part
         FROM (SELECT arrayJoin(bitmapToArray(bitmapAndnot(
             bitmapBuild(range(toUInt64(${one.low}), toUInt64(${one.high}) + 1)), groupBitmapMergeState(seqs)))) AS number
           FROM ${this.#table('coverage')}
           WHERE ${this.#isAskedHour} AND node = ${literal(one.node)} AND boot_id = toUUID(${literal(one.boot)})
             AND hook_id = ${literal(one.hook)} AND cpu = ${one.cpu}))
       GROUP BY part ORDER BY min(number)`,
    );
    return rows.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
  }

  /** Returns what the agents of these nodes have reported as lost or withheld, at any time. */
  async reported(nodes: readonly string[]): Promise<Reported[]> {
    if (nodes.length === 0) return [];
    const isOfNode = `node IN (${nodes.map(literal).join(', ')})`;
    const rows = await this.#store.rows<Cpu & { kind: string; first: string; last: string }>(
      `SELECT DISTINCT node, toString(boot_id) AS boot, loss_hook_id AS hook, toString(loss_cpu) AS cpu,
         loss_stage AS kind, toString(loss_first_seq) AS first, toString(loss_last_seq) AS last
       FROM ${this.#table('journal')}
       WHERE ${isOfNode} AND action = 'journal.loss' AND loss_first_seq IS NOT NULL
       UNION ALL
       SELECT DISTINCT node, toString(boot_id) AS boot, withheld_hook_id AS hook,
         toString(withheld_cpu) AS cpu, 'withheld' AS kind, splitByChar('-', range)[1] AS first,
         splitByChar('-', range)[2] AS last
       FROM ${this.#table('journal')} ARRAY JOIN withheld_ranges AS range
       WHERE ${isOfNode} AND action = 'journal.withheld'`,
    );
    return rows
      .map((row) => ({ ...row, first: Number(row.first), last: Number(row.last) }))
      .filter(({ first, last }) => Number.isSafeInteger(first) && Number.isSafeInteger(last));
  }

  /** Returns the hooks whose agents do not report what rules withhold. */
  async silentHooks(): Promise<Set<string>> {
    return this.#hooks('format_version < 2');
  }

  /** Returns the hooks whose first start is in the store. */
  async attachedHooks(): Promise<Set<string>> {
    return this.#hooks(`hook_state = 'attached'`);
  }

  /** Returns hooks by their starts, as `node/boot/hook`. */
  async #hooks(condition: string): Promise<Set<string>> {
    const rows = await this.#store.rows<{ hook: string }>(
      `SELECT DISTINCT concat(node, '/', toString(boot_id), '/', hook_id) AS hook
       FROM ${this.#table('journal')} WHERE action = 'journal.start' AND ${condition}`,
    );
    return new Set(rows.map(({ hook }) => hook));
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
           FROM ${this.#table('records')} WHERE ${this.#isAsked}
           UNION ALL
           SELECT node, assumeNotNull(parent_cause) AS key, timestamp AS t, false AS is_record, id AS child,
             boot_id AS child_boot
           FROM ${this.#table('records')} WHERE ${this.#isAsked} AND parent_cause IS NOT NULL)
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
    const nodes = [...new Set(causes.map(({ node }) => literal(node)))];
    const rows = await this.#store.rows<{ node: string; id: string }>(
      `SELECT DISTINCT node, toString(id) AS id FROM ${this.#table('records')}
       WHERE node IN (${nodes.join(', ')}) AND id IN (${causes.map(({ id }) => `toUUID(${literal(id)})`).join(', ')})
         AND (node, id) IN (${pairs.join(', ')})`,
    );
    const there = new Set(rows.map(({ node, id }) => `${node}/${id}`));
    return causes.filter(({ node, id }) => !there.has(`${node}/${id}`));
  }

  /** Returns what these nodes had at any time: by CPU, and the records of execs that are there, by boot. */
  async presence(nodes: readonly string[]): Promise<Presence> {
    if (nodes.length === 0) return { arrived: [], left: new Map() };
    const isOfNode = `node IN (${nodes.map(literal).join(', ')})`;
    const arrived = await this.#store.rows<Cpu & { count: string; lowest: string }>(
      `SELECT node, toString(boot_id) AS boot, hook_id AS hook, toString(c.cpu) AS cpu,
         toString(groupBitmapMerge(seqs)) AS count, toString(min(c.first)) AS lowest
       FROM ${this.#table('coverage')} AS c WHERE ${isOfNode} GROUP BY node, boot_id, hook_id, c.cpu`,
    );
    const there = await this.#store.rows<{ boot: string; count: string }>(
      `SELECT concat(node, '/', toString(boot_id)) AS boot, toString(uniqExact(id)) AS count
       FROM ${this.#table('records')} WHERE ${isOfNode} AND action = 'exec' GROUP BY boot`,
    );
    return {
      arrived: arrived.map((row) => ({
        ...row,
        count: Number(row.count),
        lowest: Number(row.lowest),
      })),
      left: new Map(there.map(({ boot, count }) => [boot, Number(count)])),
    };
  }

  /** Returns execs whose id is not that of their boot, time and process (RFC 9562, version 5). */
  async wrongIds(limit: number): Promise<{ node: string; id: string }[]> {
    return this.#store.rows(
      `SELECT node, toString(id) AS id FROM (
         SELECT DISTINCT node, id, boot_time, pid,
           SHA1(concat(unhex(replaceAll(toString(boot_id), '-', '')), toString(boot_time), ':', toString(pid))) AS sha
         FROM ${this.#table('records')}
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
      `SELECT node, toString(id) AS id FROM ${this.#table('journal')} WHERE ${this.#isAsked}
       GROUP BY node, id HAVING uniqExact(content) > 1 AND uniqExact(timestamp) = 1 ORDER BY node, id`,
    );
  }

  /** Returns boots that several nodes claim. */
  async sharedBoots(): Promise<{ boot: string; nodes: string[] }[]> {
    return this.#store.rows(
      `SELECT toString(boot_id) AS boot, arraySort(groupUniqArray(node)) AS nodes
       FROM ${this.#table('coverage')} WHERE ${this.#isAskedHour}
       GROUP BY boot_id HAVING length(nodes) > 1 ORDER BY boot`,
    );
  }

  #table(name: string): string {
    return `${identifier(this.#store.address.database)}.${identifier(name)}`;
  }
}

function secondsOf(nanoseconds: bigint): string {
  return `toDateTime(${nanoseconds / NANOSECONDS}, 'UTC')`;
}
