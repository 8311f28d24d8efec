import { type Numbers, numbersIn } from '../../../record/numbers.ts';
import { readChunks } from '../read.ts';
import type { Segment } from '../segment.ts';

/** A contiguous run of one CPU's numbers. */
export interface RetentionRun {
  readonly hookId: string;
  readonly cpu: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly count: number;
}

const LINE_FEED = 0x0a;

type Run = { -readonly [K in keyof Omit<RetentionRun, 'count'>]: RetentionRun[K] };

/** By hook and CPU, the last run that told of earlier deletions once more. */
export type Repeated = Map<string, Pick<RetentionRun, 'firstSeq' | 'lastSeq'>>;

/**
 * What nothing explains any more once a segment is deleted, as runs: the numbers of its records and
 * of its losses; and if it told of deletions before, of a hook that goes on behind it, all that is
 * deleted by then, unless that is `repeated` further behind.
 */
export async function runsOf(
  dir: string,
  segment: Segment,
  repeated: Repeated,
  signal: AbortSignal,
): Promise<RetentionRun[]> {
  const collected = new Collected();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readChunks(dir, segment, 0)) {
    if (signal.aborted) break;
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      const lines = rest.toString('latin1') + chunk.toString('latin1', 0, end);
      for (const numbers of numbersIn(lines)) collected.add(numbers);
      rest = Buffer.from(chunk.subarray(end));
    } else rest = Buffer.concat([rest, chunk]);
  }
  return collected.runs(repeated);
}

class Collected {
  readonly #runs: Run[] = [];
  /** The newest run of each hook and CPU. */
  readonly #latest = new Map<string, Run>();
  /** What is told to be deleted of each: the oldest go first, so all in between is deleted as well. */
  readonly #deleted = new Map<string, Run>();
  /** The hook of the last record. */
  #hookId: string | undefined;

  add({ stage, ...run }: Numbers): void {
    const key = `${run.hookId}:${run.cpu}`;
    if (stage === 'retention') {
      const before = this.#deleted.get(key) ?? run;
      const firstSeq = Math.min(before.firstSeq, run.firstSeq);
      const lastSeq = Math.max(before.lastSeq, run.lastSeq);
      this.#deleted.set(key, { ...run, firstSeq, lastSeq });
      return;
    }
    this.#hookId = run.hookId;
    const latest = this.#latest.get(key);
    if (latest?.lastSeq === run.firstSeq - 1) {
      latest.lastSeq = run.lastSeq;
      return;
    }
    this.#runs.push(run);
    this.#latest.set(key, run);
  }

  runs(repeated: Repeated): RetentionRun[] {
    for (const [key, run] of this.#deleted) {
      if (this.#hookId !== undefined && run.hookId !== this.#hookId) continue;
      const again = repeated.get(key);
      // The line of that run is not in this segment, or this one's runs would go as far.
      if (again && again.firstSeq <= run.firstSeq && run.lastSeq < again.lastSeq) continue;
      const own = this.#runs.find((one) => `${one.hookId}:${one.cpu}` === key);
      if (own === undefined) this.#runs.push(run);
      else own.firstSeq = run.firstSeq;
      repeated.set(key, { ...(own ?? run) });
    }
    return this.#runs.map((run) => ({ ...run, count: run.lastSeq - run.firstSeq + 1 }));
  }
}
