import type { Config } from '../config.ts';
import type { CausalRecord } from '../record.ts';
import { createPrinter } from './printer.ts';

export interface Output {
  /** Prints a record that is in the journal; undefined when nothing is to be printed. */
  readonly record: ((record: CausalRecord, line: string) => void) | undefined;
  /** Tells the run's counts on stderr. */
  summary(counts: Counts, journalDir: string): void;
}

export interface Counts {
  readonly records: number;
  readonly lost: number;
  readonly losses: number;
  readonly gaps: Readonly<Record<string, number>>;
}

/** What a running agent shows; when nobody reads stdout any more, it goes on recording. */
export function createOutput(config: Pick<Config, 'print'>): Output {
  const printer = config.print === 'none' ? undefined : createPrinter(config.print);
  return {
    record: printer && ((_record, line) => printer.print(line)),
    summary(counts, journalDir) {
      process.stderr.write(`${summaryText(counts)}, in ${journalDir}\n`);
    },
  };
}

function summaryText({ records, lost, losses, gaps }: Counts): string {
  const reasons = Object.entries(gaps).filter(([, count]) => count > 0);
  const gapCount = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const gapText = gapCount === 0 ? 'no gaps' : `${gapCount} gaps (${why})`;
  const lossText = losses === 0 ? 'nothing lost' : `${lost} lost in ${losses} losses`;
  return `${records} records, ${gapText}, ${lossText}`;
}
