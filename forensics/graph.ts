import { type DuckDBValue, listValue } from '@duckdb/node-api';
import { readRecord } from '../record/read.ts';
import { ForensicsError } from './errors.ts';
import type { Execs } from './exec-lines/fill-table.ts';
import type { Journals } from './journals.ts';

const NONE = -1;
/** A shorter beginning of an id is a typing mistake. */
const PREFIX_MIN = 4;
const AMBIGUOUS_SHOWN = 5;

/** Ids as 128 bits: the value of a UUID, or a hash of any other id. */
export const KEY_MACRO = `CREATE OR REPLACE MACRO record_key(id) AS CASE
  WHEN strlen(id) = 36 AND lower(id) = id THEN coalesce(try_cast(id AS UUID), md5(id)::UUID)
  WHEN id IS NOT NULL THEN md5(id)::UUID END`;

/** A link is read of every exec, also of one that breaks a rule. */
const EXECS: Execs = { columns: ['id', 'parent'], areOrdinary: false };

/** What answers SQL about the table `links`. */
interface Asked {
  readonly rows: (sql: string, parameters: readonly DuckDBValue[]) => Promise<DuckDBValue[][]>;
}

/** The graph of causes, by rows of the table `links`. */
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
    const keys = ['record_key(id) AS id', 'record_key(parent_cause) AS parent'];
    await journals.scan('links', ['parent_cause', ...columns], [...keys, ...expressions], {
      ...(columns.length === 0 ? { execs: EXECS } : {}),
    });
    const [[rows] = []] = await journals.rows('SELECT count(*) FROM links');
    const parents = new Int32Array(Number(rows)).fill(NONE);
    const found = await journals.connection.stream(
      `SELECT child.rowid::INTEGER, parent.rowid::INTEGER
       FROM links child JOIN links parent ON child.parent = parent.id`,
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
   * Finds a record's row by its id or the beginning of its id. Throws if there is none or more than
   * one.
   */
  async find(id: string, asked: Asked = this.#journals): Promise<number> {
    const rows = await asked.rows(
      `SELECT rowid, id::VARCHAR, id = record_key($1) AS same FROM links
       WHERE id = record_key($1) OR (len($1) >= ${PREFIX_MIN} AND starts_with(id::VARCHAR, lower($1)))
       ORDER BY same DESC, rowid LIMIT ${AMBIGUOUS_SHOWN}`,
      [id],
    );
    const ids = new Set(rows.map(([, full]) => String(full)));
    const [first] = rows;
    if (first === undefined) throw new ForensicsError('negative', `no record has the id ${id}`);
    if (first[2] === true || ids.size === 1) return Number(first[0]);
    throw new ForensicsError('usage', `more than one id begins with ${id}: ${[...ids].join(', ')}`);
  }

  /** Whether lines are those of the records that their rows had when they were read. */
  async areOf(
    lines: readonly { readonly row: number; readonly text: string }[],
    asked: Asked = this.#journals,
  ): Promise<boolean> {
    if (lines.length === 0) return true;
    const found = await asked.rows(
      `SELECT count(*) FROM (SELECT unnest($1::BIGINT[]) AS row, unnest($2::VARCHAR[]) AS id) line
       JOIN links ON links.rowid = line.row AND links.id = record_key(line.id)`,
      [
        listValue(lines.map(({ row }) => BigInt(row))),
        listValue(lines.map(({ text }) => idOf(text))),
      ],
    );
    return Number(found[0]?.[0]) === lines.length;
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
}

/** Reading the whole of a line of the agent would make a download three times as long. */
function idOf(line: string): string {
  return /^\{"id":"([^"\\]+)",/.exec(line)?.[1] ?? readRecord(line)?.id ?? '';
}

/** Among records with the same id, the cause is the last one before the child, if there is one. */
function link(parents: Int32Array, child: number, parent: number): void {
  const known = parents[child] ?? NONE;
  const better = known === NONE || (parent < child && (known > child || parent > known));
  if (better) parents[child] = parent;
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
