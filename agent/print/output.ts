import type { Config } from '../config.ts';
import type { CausalRecord } from '../record.ts';
import { createFormat } from './format.ts';
import { Stdout } from './stdout.ts';

const WAITING_MAX_BYTES = 8 << 20;
const END_MS = 1000;

export interface Output {
  /** Prints a record that is in the journal; undefined when nothing is to be printed. */
  readonly record: ((record: CausalRecord, line: string) => void) | undefined;
  /** Tells the run's counts on stderr; what a slow reader has not taken soon after is dropped. */
  summary(counts: Counts, journalDir: string): void;
}

export interface Counts {
  readonly records: number;
  readonly lost: number;
  readonly losses: number;
  readonly gaps: Readonly<Record<string, number>>;
}

/** What a running agent shows. A reader that is slow or gone costs lines here, never a record. */
export function createOutput(config: Pick<Config, 'print'>): Output {
  if (config.print === 'none') return { record: undefined, summary: tell };
  const format = createFormat(config.print);
  const stdout = new Stdout();
  let skipped = 0;
  return {
    record(_record, line) {
      if (stdout.bytes < WAITING_MAX_BYTES) stdout.write(format(line));
      else skipped++;
    },
    summary(counts, journalDir) {
      setTimeout(() => end(stdout), END_MS).unref();
      void stdout.drained();
      tell(counts, journalDir);
      if (skipped > 0)
        process.stderr.write(`${skipped} records were not printed: stdout took too long\n`);
    },
  };
}

/** Only what is unwritten has kept the process until now. */
function end(stdout: Stdout): void {
  process.stderr.write('stdout is not being read: the last records were not printed\n');
  stdout.close();
}

function tell(counts: Counts, journalDir: string): void {
  process.stderr.write(`${summaryText(counts)}, in ${journalDir}\n`);
}

function summaryText({ records, lost, losses, gaps }: Counts): string {
  const reasons = Object.entries(gaps).filter(([, count]) => count > 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const gapText = why === '' ? 'no gaps' : `gaps: ${why}`;
  const lossText = losses === 0 ? 'nothing lost' : `${lost} lost in ${losses} losses`;
  return `${records} records, ${gapText}, ${lossText}`;
}
