import type { DuckDBConnection } from '@duckdb/node-api';
import type { Extent } from './extents.ts';

/** Rows of an UPDATE; a longer list takes too long to parse. */
const UPDATED_ROWS = 100_000;

/**
 * Makes all columns but `file` null in these rows, and `readable` what is given. Lists are left as they are, because DuckDB would
 * give their rows another place.
 */
export async function eraseRows(
  connection: DuckDBConnection,
  table: string,
  rows: readonly number[],
  readable: 'NULL' | 'false',
): Promise<void> {
  const found = await connection.runAndReadAll(
    `SELECT column_name FROM duckdb_columns() WHERE table_name = '${table}'
     AND column_name <> 'file' AND NOT regexp_matches(data_type, '[\\[(]')`,
  );
  const set = found
    .getRows()
    .map(([name]) => `"${name}" = ${name === 'readable' ? readable : 'NULL'}`)
    .join(', ');
  for (let at = 0; at < rows.length; at += UPDATED_ROWS)
    await connection.run(
      `UPDATE ${table} SET ${set}
       WHERE rowid IN (SELECT unnest([${rows.slice(at, at + UPDATED_ROWS).join(', ')}]))`,
    );
}

/**
 * Makes rows of a table what those of other lines that are no records are; `places` are those in each
 * file. Returns the extents with them.
 */
export async function refuseRows(
  { connection, extents }: { readonly connection: DuckDBConnection; extents: readonly Extent[] },
  table: string,
  places: readonly (readonly number[] | undefined)[],
): Promise<readonly Extent[]> {
  const rows = extents.flatMap(({ first }, file) => (places[file] ?? []).map((at) => first + at));
  if (rows.length === 0) return extents;
  await eraseRows(connection, table, rows, 'false');
  return extents.map((extent, file) => {
    const refused = places[file]?.length ?? 0;
    return { ...extent, refused, skipped: extent.skipped + refused };
  });
}
