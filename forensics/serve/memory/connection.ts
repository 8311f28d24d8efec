import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
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
      async integers(sql) {
        signal.throwIfAborted();
        const found: number[] = [];
        for await (const chunk of await connection.stream(sql)) {
          signal.throwIfAborted();
          const column = chunk.getColumnVector(0);
          for (let i = 0; i < chunk.rowCount; i += 1) found.push(Number(column.getItem(i)));
        }
        return found;
      },
    });
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
  }
}
