import { readChunks } from './read.ts';
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
 * Where an exec's line says its hook, CPU and number. Nothing else looks like this: inside a JSON
 * string a quotation mark has a backslash before it, not a comma; one that ends a string has no
 * letter behind it; and what people configure into the resource are strings, not bare numbers.
 */
const NUMBERS = /,"vcml\.hook\.id":"(\d+)","vcml\.cpu":(\d+),"vcml\.seq":(\d+)[,}]/g;
const LINE_FEED = 0x0a;

type Run = { -readonly [K in keyof RetentionRun]: RetentionRun[K] };

/** The numbers of the records in a segment, as runs. */
export async function runsOf(
  dir: string,
  segment: Segment,
  signal: AbortSignal,
): Promise<RetentionRun[]> {
  const runs: Run[] = [];
  const latest = new Map<string, Run>();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readChunks(dir, segment, 0)) {
    if (signal.aborted) break;
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      collect(rest.toString('latin1') + chunk.toString('latin1', 0, end), runs, latest);
      rest = Buffer.from(chunk.subarray(end));
    } else rest = Buffer.concat([rest, chunk]);
  }
  return runs;
}

function collect(lines: string, runs: Run[], latest: Map<string, Run>): void {
  for (const [, hookId = '', cpu = '', number = ''] of lines.matchAll(NUMBERS)) {
    const seq = Number(number);
    const key = `${hookId}:${cpu}`;
    const run = latest.get(key);
    if (run !== undefined && run.lastSeq === seq - 1) {
      run.lastSeq = seq;
      run.count += 1;
      continue;
    }
    const begun = { hookId, cpu: Number(cpu), firstSeq: seq, lastSeq: seq, count: 1 };
    runs.push(begun);
    latest.set(key, begun);
  }
}
