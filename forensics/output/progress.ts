import type { Journals } from '../journals.ts';

const AFTER_MS = 1000;
const EVERY_MS = 200;
const CELLS = 24;

/**
 * Shows the progress on a terminal for a query that takes longer than a second, until stopped.
 */
export function showProgress(journals: Journals): () => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = false;
  const clear = () => {
    if (shown) process.stderr.write('\r\x1b[K');
    shown = false;
  };
  const began = performance.now();
  const timer = setInterval(() => {
    const { percentage } = journals;
    if (performance.now() - began < AFTER_MS) return;
    // no query is running, and an answer may be being printed
    if (!(percentage > 0 && percentage < 100)) return clear();
    const done = Math.round((percentage / 100) * CELLS);
    shown = true;
    process.stderr.write(
      `\r${'█'.repeat(done)}${'░'.repeat(CELLS - done)} ${percentage.toFixed(0).padStart(3)} %`,
    );
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    clear();
  };
}
