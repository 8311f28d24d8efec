import type { DuckDBConnection } from '@duckdb/node-api';

/** Rows of an UPDATE; a longer list takes too long to parse. */
const UPDATED_ROWS = 100_000;

/**
 * Makes all columns but `file` null in these rows. Lists are left as they are, because DuckDB would
 * give their rows another place.
 */
export async function eraseRows(
  connection: DuckDBConnection,
  table: string,
  rows: readonly number[],
): Promise<void> {
  const found = await connection.runAndReadAll(
    `SELECT column_name FROM duckdb_columns() WHERE table_name = '${table}'
     AND column_name <> 'file' AND NOT regexp_matches(data_type, '[\\[(]')`,
  );
  const set = found
    .getRows()
    .map(([name]) => `"${name}" = NULL`)
    .join(', ');
  for (let at = 0; at < rows.length; at += UPDATED_ROWS)
    await connection.run(
      `UPDATE ${table} SET ${set}
       WHERE rowid IN (SELECT unnest([${rows.slice(at, at + UPDATED_ROWS).join(', ')}]))`,
    );
}
