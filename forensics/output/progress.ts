import { clearPassing, showPassing } from './stderr.ts';

const AFTER_MS = 1000;
const EVERY_MS = 200;
const CELLS = 24;
const MIB = 1 << 20;

/** What is being done. */
export interface Work {
  /** how much of it is done; a value that is not between 0 and 100 says nothing */
  readonly percentages: readonly number[];
  /** the size of a copy; a copy that does not grow is not being made */
  readonly copied: number;
}

/** Shows on a terminal how far a command is that takes longer than a second, until stopped. */
export function showProgress(work: () => Work): () => void {
  if (!process.stderr.isTTY) return () => {};
  let before = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    const { percentages, copied } = work();
    const percentage = percentages.find((one) => one > 0 && one < 100);
    const isCopying = copied > before;
    before = copied;
    if (performance.now() - began < AFTER_MS) return;
    // an answer may be being printed
    if (percentage === undefined && !isCopying) return clearPassing();
    showPassing(percentage === undefined ? copying(copied) : bar(percentage));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    clearPassing();
  };
}

function bar(percentage: number): string {
  const done = Math.round((percentage / 100) * CELLS);
  const cells = '█'.repeat(done) + '░'.repeat(CELLS - done);
  return `${cells} ${percentage.toFixed(0).padStart(3)} %`;
}

/** Nobody knows how long a stream or a compressed file is. */
function copying(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB are copied`;
}
