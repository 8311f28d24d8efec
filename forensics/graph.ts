import { type DuckDBValue, listValue } from '@duckdb/node-api';
import { nodeOf } from '../record/node.ts';
import { visible } from '../record/visible.ts';
import { NODE } from './columns.ts';
import { ForensicsError } from './errors.ts';
import type { Execs } from './exec-lines/fill-table.ts';
import type { Journals } from './journals.ts';
import { recordIn } from './record-in.ts';
import { conditionOf } from './select/filter.ts';
import { isWholeId } from './store/answer/question.ts';

const NONE = -1;
/** A shorter beginning of an id is a typing mistake. */
const PREFIX_MIN = 4;
const AMBIGUOUS_SHOWN = 5;

/** Ids as 128 bits: the value of a UUID, or a hash of any other id. */
export const KEY_MACRO = `CREATE OR REPLACE MACRO record_key(id) AS CASE
  WHEN strlen(id) = 36 AND lower(id) = id THEN coalesce(try_cast(id AS UUID), md5(id)::UUID)
  WHEN id IS NOT NULL THEN md5(id)::UUID END`;

/** A node as a hash, because a name would take ten times the memory. Without a name, it is one, too. */
const homeOf = (node: string) => `hash(coalesce(${node}, ''))`;

/** A link is read of every exec, also of one that breaks a rule. */
const EXECS: Execs = {
  columns: ['id', 'parent', { ofResource: homeOf(NODE) }],
  areOrdinary: false,
};

/** What answers SQL about the table `links`. */
interface Asked {
  readonly rows: (sql: string, parameters: readonly DuckDBValue[]) => Promise<DuckDBValue[][]>;
}

/** The first row of a record on a node. */
interface Candidate {
  readonly row: number;
  /** its id as a key */
  readonly key: string;
  readonly home: unknown;
  /** how many rows of the node have the id */
  readonly count: number;
}

/**
 * The graph of causes, by rows of the table `links`. A link leads to a record of the same node: what
 * another node wrote is no cause, whatever id it has.
 */
export class Graph {
  readonly #journals: Journals;
  /** the row of the cause, by row; NONE: a root, a gap, or a cause that is in no file */
  readonly #parents: Int32Array;
  /** rows by their cause; those of cause i begin at starts[i] */
  #children: { starts: Int32Array; rows: Int32Array } | undefined;

  private constructor(journals: Journals, parents: Int32Array) {
    this.#journals = journals;
    this.#parents = parents;
  }

  /** Reads ids, links and expressions over `columns` into the table `links`. */
  static async load(
    journals: Journals,
    columns: readonly string[] = [],
    expressions = columns,
  ): Promise<Graph> {
    await journals.rows(KEY_MACRO);
    const keys = [
      'record_key(id) AS id',
      'record_key(parent_cause) AS parent',
      `${homeOf('"node"')} AS home`,
    ];
    await journals.scan('links', ['parent_cause', 'node', ...columns], [...keys, ...expressions], {
      ...(columns.length === 0 ? { execs: EXECS } : {}),
    });
    const [[rows] = []] = await journals.rows('SELECT count(*) FROM links');
    const parents = new Int32Array(Number(rows)).fill(NONE);
    const found = await journals.connection.stream(
      `SELECT child.rowid::INTEGER, parent.rowid::INTEGER
       FROM links child JOIN links parent ON child.parent = parent.id AND child.home = parent.home`,
    );
    for await (const chunk of found) {
      const children = chunk.getColumnVector(0);
      const causes = chunk.getColumnVector(1);
      for (let i = 0; i < chunk.rowCount; i += 1)
        link(parents, Number(children.getItem(i)), Number(causes.getItem(i)));
    }
    return new Graph(journals, parents);
  }

  /**
   * Finds a record's row by its id or the beginning of its id, on any node or on one with this name.
   * Throws if there is none, or more than one.
   */
  async find(id: string, node?: string): Promise<number> {
    const all = await this.#candidates(id, this.#journals);
    const found = node === undefined ? all : await this.#onNode(all, node);
    const { row, count } = firstWithId(id, found);
    if (found.length > 1) throw ambiguous(id, [...(await this.#nodesOf(found)).values()]);
    if (count > 1)
      this.#journals.notes = [
        ...this.#journals.notes,
        `${count} records have the id ${id}, and the first one is shown: see \`vcml audit\``,
      ];
    return row;
  }

  /** Returns the key of the only id that begins so. Throws if there is none, or more than one. */
  async keyOf(begin: string, asked: Asked): Promise<string> {
    return firstWithId(begin, await this.#candidates(begin, asked)).key;
  }

  /** The row of its cause; undefined: the files do not have it. */
  parentOf(row: number): number | undefined {
    const parent = this.#parents[row] ?? NONE;
    return parent === NONE ? undefined : parent;
  }

  /** A row and the rows of its causes, up to one without a cause in these files; each once. */
  chainOf(row: number): number[] {
    const chain = new Set<number>();
    for (let at: number | undefined = row; at !== undefined && !chain.has(at); ) {
      chain.add(at);
      at = this.parentOf(at);
    }
    return [...chain];
  }

  /** The rows that a row caused, in the order of the files. */
  childrenOf(row: number): Int32Array {
    this.#children ??= childrenOf(this.#parents);
    const { starts, rows } = this.#children;
    return rows.subarray(starts[row], starts[row + 1]);
  }

  /** The records that have an id, or else those whose id begins so. */
  async #candidates(id: string, asked: Asked): Promise<Candidate[]> {
    const rows = await asked.rows(
      `SELECT min(rowid), id::VARCHAR, home, id = record_key($1) AS same, count(*) FROM links
       WHERE id = record_key($1) OR (len($1) >= ${PREFIX_MIN} AND starts_with(id::VARCHAR, lower($1)))
       GROUP BY id, home ORDER BY same DESC, min(rowid)`,
      [id],
    );
    // Any text can be an id, also one that another id begins with.
    const isWhole = isWholeId(id) && rows[0]?.[3] === true;
    return rows
      .filter(([, , , same]) => same === true || !isWhole)
      .map(([row, key, home, , count]) => ({
        row: Number(row),
        key: String(key),
        home,
        count: Number(count),
      }));
  }

  async #onNode(candidates: readonly Candidate[], node: string): Promise<Candidate[]> {
    if (candidates.length === 0) return [];
    const nodes = await this.#nodesOf(candidates);
    const rows = await this.#journals.rows(
      `SELECT node FROM (SELECT unnest($1::VARCHAR[]) AS node) one
       WHERE ${conditionOf({ node }, 0).sql}`,
      [listValue([...nodes.values()])],
    );
    const named = new Set(rows.map(([name]) => String(name)));
    return candidates.filter(({ home }) => named.has(nodes.get(home) ?? ''));
  }

  /** The names of the nodes of records, by their hash. */
  async #nodesOf(candidates: readonly Candidate[]): Promise<Map<unknown, string>> {
    const homes = new Map(candidates.map(({ row, home }) => [home, row]));
    const byRow = new Map([...homes].map(([home, row]) => [row, home]));
    const rows = [...byRow.keys()].sort((a, b) => a - b);
    const nodes = new Map<unknown, string>();
    for await (const { row, text } of this.#journals.entries(rows))
      nodes.set(byRow.get(row), nodeOf(recordIn(text).resource) ?? '');
    return nodes;
  }
}

/** Returns the first candidate. Throws if there is none, or if they have several ids. */
function firstWithId(id: string, found: readonly Candidate[]): Candidate {
  const [first] = found;
  if (first === undefined) {
    const more =
      id.length < PREFIX_MIN ? `; of its beginning, give at least ${PREFIX_MIN} characters` : '';
    throw new ForensicsError('negative', `no record has the id ${id}${more}`);
  }
  const keys = [...new Set(found.map(({ key }) => key))];
  if (keys.length === 1) return first;
  const shown = keys.slice(0, AMBIGUOUS_SHOWN).join(', ');
  throw new ForensicsError('usage', `more than one id begins with ${id}: ${shown}`);
}

function ambiguous(id: string, nodes: readonly string[]): ForensicsError {
  const names = nodes.map((name) => (name === '' ? 'one without a name' : visible(name))).sort();
  const shown = names.slice(0, AMBIGUOUS_SHOWN).join(', ');
  const more = names.length > AMBIGUOUS_SHOWN ? ', …' : '';
  return new ForensicsError(
    'usage',
    `several nodes have a record with the id ${id}: ${shown}${more}; name one with --node`,
  );
}

/** Among records with the same id, the cause is the last one before the child, or the first. */
function link(parents: Int32Array, child: number, parent: number): void {
  const known = parents[child] ?? NONE;
  const isBetter = parent < child ? known >= child || parent > known : parent < known;
  if (known === NONE || isBetter) parents[child] = parent;
}

function childrenOf(parents: Int32Array): { starts: Int32Array; rows: Int32Array } {
  const starts = new Int32Array(parents.length + 1);
  for (const parent of parents)
    if (parent !== NONE) starts[parent + 1] = (starts[parent + 1] ?? 0) + 1;
  for (let i = 1; i < starts.length; i += 1) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0);
  const next = starts.slice();
  const rows = new Int32Array(starts[parents.length] ?? 0);
  for (const [row, parent] of parents.entries()) {
    if (parent === NONE) continue;
    rows[next[parent] ?? 0] = row;
    next[parent] = (next[parent] ?? 0) + 1;
  }
  return { starts, rows };
}
