import type { CausalRecord } from '../../record/types.ts';
import type { PrintForm } from './format.ts';
import type { Stdout } from './stdout.ts';

const WAITING_MAX_BYTES = 8 << 20;
const END_MS = 1000;

/** Where a running agent prints its records and, at the end, its counts. */
export interface Output {
  /** Prints a record that is in the journal; undefined when printing is off. */
  readonly record: ((record: CausalRecord, line: string) => void) | undefined;
  /**
   * Writes the run's counts to stderr, after the records; drops what a slow reader has not read.
   */
  summary(counts: Counts, journalDir: string): Promise<void>;
}

/** The counts of a run that the summary shows. */
export interface Counts {
  readonly records: number;
  readonly lost: number;
  readonly losses: number;
  readonly gaps: Readonly<Record<string, number>>;
}

/**
 * Makes the output of a running agent. A slow or absent reader costs printed lines, never a record.
 */
export async function createOutput(config: {
  readonly print: PrintForm | 'none';
}): Promise<Output> {
  if (config.print === 'none')
    return { record: undefined, summary: async (...counts) => writeSummary(...counts) };
  const { createFormat } = await import('./format.ts');
  const { Stdout } = await import('./stdout.ts');
  const format = createFormat(config.print);
  const stdout = new Stdout();
  let skipped = 0;
  return {
    record(_record, line) {
      if (stdout.bytes < WAITING_MAX_BYTES) stdout.write(format(line));
      else skipped++;
    },
    async summary(counts, journalDir) {
      const timer = setTimeout(() => end(stdout), END_MS);
      await stdout.drained();
      clearTimeout(timer);
      writeSummary(counts, journalDir);
      if (skipped > 0)
        process.stderr.write(`${skipped} records were not printed: stdout took too long\n`);
    },
  };
}

function end(stdout: Stdout): void {
  process.stderr.write('stdout is not being read: the last records were not printed\n');
  stdout.close();
}

function writeSummary(counts: Counts, journalDir: string): void {
  process.stderr.write(`${summaryText(counts)}, in ${journalDir}\n`);
}

function summaryText({ records, lost, losses, gaps }: Counts): string {
  const reasons = Object.entries(gaps).filter(([, count]) => count > 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const gapText = why === '' ? 'no gaps' : `gaps: ${why}`;
  const lossText = losses === 0 ? 'nothing lost' : `${lost} lost in ${losses} losses`;
  return `${records} records, ${gapText}, ${lossText}`;
}
