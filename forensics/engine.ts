import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { fileSize } from './inputs/file-size.ts';
import type { Temporary } from './inputs/temporary.ts';

/** How much is kept in memory before it is written to a temporary file. */
const MEMORY_LIMIT = '2GiB';

/**
 * With several threads, DuckDB keeps about 0.6 MB for the rows of each file until it has all of them,
 * however few they are.
 */
const FILES_IN_THREADS = 500;
/** Where files are larger, threads save more than that. */
const SMALL_BYTES = 1 << 20;

/** DuckDB, and a connection whose progress can be asked for. */
export interface Engine {
  readonly instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
}

/** Returns the integers of a query with one column; there may be millions. A signal ends it early. */
export async function integersOf(
  connection: DuckDBConnection,
  sql: string,
  signal?: AbortSignal,
): Promise<number[]> {
  signal?.throwIfAborted();
  const found: number[] = [];
  for await (const chunk of await connection.stream(sql)) {
    signal?.throwIfAborted();
    const column = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i += 1) found.push(Number(column.getItem(i)));
  }
  return found;
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

/** Returns the statement that sets how many threads read these files. */
export function threadsFor(files: readonly { readonly file: string }[]): string {
  if (files.length <= FILES_IN_THREADS) return 'RESET threads';
  const bytes = files.reduce((sum, { file }) => sum + (fileSize(file) ?? 0), 0);
  return bytes < files.length * SMALL_BYTES ? 'SET threads = 1' : 'RESET threads';
}
