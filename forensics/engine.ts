import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Temporary } from './inputs/temporary.ts';

/** How much is kept in memory before it is written to a temporary file. */
const MEMORY_LIMIT = '2GiB';

/** DuckDB, and a connection whose progress can be asked for. */
export interface Engine {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
}

/** Opens DuckDB in memory; it spills into the temporary folder, and installs and loads nothing. */
export async function openEngine({ path }: Temporary): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    temp_directory: path === undefined ? '' : join(path, 'spilled'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run('SET enable_progress_bar = true');
  await connection.run('SET enable_progress_bar_print = false');
  return { instance, connection };
}
