import type { DuckDBConnection } from '@duckdb/node-api';

const AFTER_MS = 1000;
const EVERY_MS = 200;
const CELLS = 24;

/** Shows on a terminal how far DuckDB is with whatever takes longer than a second, until stopped. */
export function showProgress(connection: DuckDBConnection): () => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = false;
  const began = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - began < AFTER_MS) return;
    const percent = Math.min(100, Math.max(0, connection.progress.percentage));
    const done = Math.round((percent / 100) * CELLS);
    shown = true;
    process.stderr.write(
      `\r${'█'.repeat(done)}${'░'.repeat(CELLS - done)} ${percent.toFixed(0).padStart(3)} %`,
    );
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    if (shown) process.stderr.write('\r\x1b[K');
  };
}
