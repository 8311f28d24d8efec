import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { integersOf } from '../../engine.ts';
import type { Journals } from '../../journals.ts';

/** A connection to DuckDB for one question. */
export interface Connected {
  readonly connection: DuckDBConnection;
  rows(sql: string, parameters?: readonly DuckDBValue[]): Promise<DuckDBValue[][]>;
  /** Returns the integers of a query with one column; there may be millions. */
  integers(sql: string): Promise<number[]>;
}

/** Runs queries until a signal interrupts them. */
export async function connected<T>(
  journals: Journals,
  signal: AbortSignal,
  ask: (connected: Connected) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const connection = await journals.connect();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await ask({
      connection,
      async rows(sql, parameters = []) {
        signal.throwIfAborted();
        return (await connection.runAndReadAll(sql, [...parameters])).getRows();
      },
      integers: (sql) => integersOf(connection, sql, signal),
    });
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
  }
}
