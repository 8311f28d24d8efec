import { readSegmentSync } from './read-sync.ts';
import type { Segment } from './segment.ts';

/** A contiguous run of one CPU's numbers. */
export interface RetentionRun {
  readonly hookId: string;
  readonly cpu: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly count: number;
}

/**
 * Where an exec's line says its hook, CPU and number. A quotation mark inside a JSON string has a
 * backslash before it, so no argument or file name can look like this.
 */
const NUMBERS = /[^\\]"vcml\.hook\.id":"(\d+)","vcml\.cpu":(\d+),"vcml\.seq":(\d+)/;

/** The numbers of the records in a segment, as runs. */
export function runsOf(dir: string, segment: Segment): RetentionRun[] {
  const open = new Map<
    string,
    { hookId: string; cpu: number; firstSeq: number; lastSeq: number }
  >();
  const runs: RetentionRun[] = [];
  for (const { line } of readSegmentSync(dir, segment, 0)) {
    const match = NUMBERS.exec(line);
    if (match === null) continue;
    const [, hookId = '', cpu = '', seq = ''] = match;
    const key = `${hookId}:${cpu}`;
    const run = open.get(key);
    if (run !== undefined && run.lastSeq === Number(seq) - 1) {
      run.lastSeq += 1;
      continue;
    }
    if (run !== undefined) runs.push(counted(run));
    open.set(key, { hookId, cpu: Number(cpu), firstSeq: Number(seq), lastSeq: Number(seq) });
  }
  return [...runs, ...[...open.values()].map(counted)];
}

function counted(run: Omit<RetentionRun, 'count'>): RetentionRun {
  return { ...run, count: run.lastSeq - run.firstSeq + 1 };
}
