import { createSeeded } from '../../support/scripted/seeded.ts';
import { type Operation, readTrace } from '../journal/disk-model.ts';
import { finish } from './finish.ts';
import { audit, judgeWorld } from './judge.ts';
import { bootOf, type Scenario } from './scenarios.ts';
import { type Bench, type Fault, receivedIn } from './world.ts';
import { linesWritten } from './written.ts';

const FAULT_CALLS = 40;
/** Every second point is followed by another kill, this many calls into the next life at most. */
const SECOND_KILL_WITHIN = 120;
const BOOT = 1;

/** A moment at which a life ended, and what is wrong with what was left. */
export interface Point {
  /** what ended, for people */
  readonly at: string;
  readonly findings: readonly string[];
}

/** A whole life: the number of its calls, and what it did to files. */
export interface Whole {
  readonly calls: number;
  readonly operations: readonly Operation[];
}

/** Runs a life that nothing ends; throws if anything is wrong with it. */
export async function liveWhole(bench: Bench, scenario: Scenario): Promise<Whole> {
  const world = bench.world();
  const life = await bench.live(world, scenario, BOOT);
  const operations = readTrace(world.trace, world.journal);
  await finish(bench, world, scenario, BOOT, life);
  const history = linesWritten(readTrace(world.trace, world.journal));
  const [finding] = judgeWorld(world, history, [bootOf(scenario, BOOT)], receivedIn(world));
  if (finding !== undefined) throw new Error(`${scenario.name} without a kill: ${finding}`);
  bench.remove(world);
  return { calls: life.calls, operations };
}

/** Ends a life before one of its calls, continues it, and judges what it leaves. */
export async function killAt(
  bench: Bench,
  scenario: Scenario,
  call: number,
  { isAudited = false } = {},
): Promise<Point> {
  const world = bench.world();
  const seeded = createSeeded(call);
  let life = await bench.live(world, scenario, BOOT, call, faultBefore(scenario, call));
  let at = `call ${call}, ${life.last}`;
  if (seeded.percent(50)) {
    const second = 1 + seeded.below(SECOND_KILL_WITHIN);
    life = await bench.live(world, scenario, BOOT, second);
    at += `; then call ${second}, ${life.last}`;
  }
  const failure = await finish(bench, world, scenario, BOOT, life);
  const history = linesWritten(readTrace(world.trace, world.journal));
  const findings =
    failure ?? judgeWorld(world, history, [bootOf(scenario, BOOT)], receivedIn(world));
  if (isAudited) findings.push(...audit(world));
  if (findings.length === 0) bench.remove(world);
  return { at: `${scenario.name}, ${at}`, findings };
}

/** The calls that fail end before the kill, or are cut off by it. */
function faultBefore({ fault }: Scenario, call: number): Fault | undefined {
  if (fault === undefined) return undefined;
  const first = 1 + createSeeded(call + 1).below(call);
  return { first, last: first + FAULT_CALLS, error: fault };
}
