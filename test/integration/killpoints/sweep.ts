import { availableParallelism } from 'node:os';
import { killAt, liveWhole, type Point } from './kill.ts';
import { cutAfter } from './power.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import type { Bench } from './world.ts';

/** `vcml audit` takes longer than everything else. */
const AUDITED_EVERY = 25;

/** Which of all points are tried. */
export interface SweepOptions {
  /** every how many-th */
  readonly step: number;
  /** the first of them, from 1 to `step` */
  readonly from: number;
  /** Called with each point once it is judged. */
  onPoint(point: Point): void;
}

/**
 * Ends lives of every scenario before their calls, and cuts the power between their operations.
 * Returns the points.
 */
export async function sweep(bench: Bench, options: SweepOptions): Promise<Point[]> {
  const points: Point[] = [];
  for (const scenario of SCENARIOS) {
    const jobs = await jobsOf(bench, scenario, options);
    const work = async () => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const point = await job();
        points.push(point);
        options.onPoint(point);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
  }
  return points;
}

type Job = () => Promise<Point>;

async function jobsOf(
  bench: Bench,
  scenario: Scenario,
  { step, from }: SweepOptions,
): Promise<Job[]> {
  const { calls, operations } = await liveWhole(bench, scenario);
  const jobs: Job[] = [];
  for (let n = from; n <= calls; n += step) {
    const isAudited = jobs.length % AUDITED_EVERY === 0;
    jobs.push(() => killAt(bench, scenario, n, { isAudited }));
  }
  // What fails in a life is not in its trace.
  if (scenario.fault !== undefined) return jobs;
  for (let n = from; n <= operations.length; n += step)
    jobs.push(() => cutAfter(bench, scenario, operations, n));
  return jobs;
}
