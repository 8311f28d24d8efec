import type { DuckDBValue } from '@duckdb/node-api';
import type { Suspect } from './inputs/again.ts';
import type { Source } from './inputs/source.ts';

/** The place of a file's rows in a scanned table, and what they are. */
export interface Extent {
  readonly first: number;
  readonly count: number;
  /** lines that are no records */
  readonly skipped: number;
  /** those of them that DuckDB takes for records */
  readonly refused: number;
  /** records that an earlier input has, too */
  readonly again: number;
}

/** Files whose lines are the rows of a table, one file after the other. */
export interface Scanned {
  readonly files: readonly Source[];
  readonly extents: readonly Extent[];
  rows(sql: string): Promise<DuckDBValue[][]>;
  integers(sql: string): Promise<number[]>;
}

/** Returns where the rows of each file are in a table that was just made. */
export async function extentsOf(scanned: Scanned, table: string): Promise<Extent[]> {
  const rows = await scanned.rows(
    `SELECT enum_code(file), min(rowid), count(*), count(*) FILTER (NOT readable)
     FROM ${table} GROUP BY file`,
  );
  const known = new Map(rows.map(([file, ...numbers]) => [Number(file), numbers.map(Number)]));
  return scanned.files.map((_, file) => {
    const [first = 0, count = 0, skipped = 0] = known.get(file) ?? [];
    return { first, count, skipped, refused: 0, again: 0 };
  });
}

/** Returns the places of a file's lines that DuckDB does not read as records. */
export async function unreadIn(
  scanned: Scanned,
  table: string,
  { first, count }: Pick<Extent, 'first' | 'count'>,
): Promise<number[]> {
  const rows = await scanned.integers(
    `SELECT rowid FROM ${table} WHERE NOT readable AND rowid >= ${first}
     AND rowid < ${first + count} ORDER BY rowid`,
  );
  return rows.map((row) => row - first);
}

/** Returns the rows of a table that have an id, as far as its hash says so, with another row. */
export async function suspectsOf(scanned: Scanned, table: string): Promise<Suspect[]> {
  const { files, extents } = scanned;
  const found = await scanned.rows(
    `SELECT rowid, same_id FROM ${table} WHERE readable AND same_id IN (
       SELECT same_id FROM ${table} WHERE readable GROUP BY same_id HAVING count(*) > 1)
     ORDER BY rowid`,
  );
  let index = 0;
  return found.map(([at, id]) => {
    const row = Number(at);
    for (let extent = extents[index]; extent !== undefined; extent = extents[index]) {
      if (row < extent.first + extent.count) break;
      index += 1;
    }
    const { journal = '', hasLogs = false } = files[index] ?? {};
    return { row, id: BigInt(id as bigint), journal, isDelivered: hasLogs };
  });
}
