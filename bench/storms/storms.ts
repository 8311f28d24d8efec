import { setTimeout as pause } from 'node:timers/promises';
import type { Bed } from '../bed/bed.ts';
import { anonymousBytes, type Memory, memoryOf, workingSetBytes } from '../bed/memory.ts';
import { cpuSeconds, settle } from '../bed/process.ts';
import { longArguments, storm } from '../bed/storm.ts';
import { agent, execsnoop, exportingAgent, nothing, type Tool } from './tools.ts';

const LOOK_EVERY_MS = 1000;

/** A tool that runs during the storm, and the arguments that the storm executes. */
interface Variant {
  readonly name: string;
  readonly start: (bed: Bed) => Promise<Tool>;
  /** The name of the variant that it is compared with. */
  readonly baseline: string;
  readonly long: boolean;
}

const NOTHING = 'nothing';
const NOTHING_LONG = 'nothing, 8 KiB of arguments';

export const EXECSNOOP = 'execsnoop -T';
export const AGENT = 'vcml-agent';
export const AGENT_EXPORTING = 'vcml-agent, exporting';
export const AGENT_LONG = 'vcml-agent, 8 KiB of arguments';

const VARIANTS: readonly Variant[] = [
  { name: NOTHING, start: nothing, baseline: NOTHING, long: false },
  { name: EXECSNOOP, start: execsnoop, baseline: NOTHING, long: false },
  { name: AGENT, start: (bed) => agent(bed), baseline: NOTHING, long: false },
  { name: AGENT_EXPORTING, start: exportingAgent, baseline: NOTHING, long: false },
  { name: NOTHING_LONG, start: nothing, baseline: NOTHING_LONG, long: true },
  { name: AGENT_LONG, start: (bed) => agent(bed), baseline: NOTHING_LONG, long: true },
];

/** One storm with one tool. */
export interface StormRun extends WatchedStorm {
  readonly variant: string;
  readonly baseline: string;
  readonly round: number;
}

/** What a storm and the tool beside it have shown. */
export interface WatchedStorm {
  readonly execsPerSecond: number;
  /** The CPU time of the tool, until it has drained everything. */
  readonly cpuMicrosPerExec: number | undefined;
  /** The execs without a record, including those of the warm-up. */
  readonly lost: number | undefined;
  /** The number of lost records that the tool reports. */
  readonly reported: number;
  readonly memory: Memory | undefined;
}

/** Runs all variants in rounds; every other round runs them in reverse. */
export async function runStorms(bed: Bed, report: (text: string) => void): Promise<StormRun[]> {
  const runs: StormRun[] = [];
  for (let round = 1; round <= bed.rounds; round++) {
    for (const variant of round % 2 ? VARIANTS : VARIANTS.toReversed()) {
      report(`storm, round ${round} of ${bed.rounds}: ${variant.name}`);
      runs.push(await runStorm(bed, variant, round));
    }
  }
  return runs;
}

async function runStorm(bed: Bed, variant: Variant, round: number): Promise<StormRun> {
  const args = variant.long ? longArguments(bed) : [];
  const watched = await stormBeside(bed, await variant.start(bed), args);
  return { variant: variant.name, baseline: variant.baseline, round, ...watched };
}

/** Runs a storm beside a tool that has just started, after a warm-up, and stops the tool. */
export async function stormBeside(
  bed: Bed,
  tool: Tool,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<WatchedStorm> {
  const warmUp = await storm(bed, bed.warmUpSeconds, args, env);
  const { pid } = tool;
  if (pid !== undefined) await settle(pid);
  const before = pid === undefined ? 0 : cpuSeconds(pid);
  const [execs, memory] = await watched(storm(bed, bed.seconds, args, env), pid);
  if (pid !== undefined) await settle(pid);
  const cpu = pid === undefined ? undefined : cpuSeconds(pid) - before;
  const { records, reported } = await tool.stop();
  return {
    execsPerSecond: execs / bed.seconds,
    cpuMicrosPerExec: cpu && (cpu * 1e6) / execs,
    lost: pid && warmUp + execs - records,
    reported,
    memory,
  };
}

/** Returns the result of the storm, with the peak memory of a process meanwhile. */
async function watched(
  running: Promise<number>,
  pid: number | undefined,
): Promise<[number, Memory | undefined]> {
  if (pid === undefined) return [await running, undefined];
  let anonymous = 0;
  let workingSet = 0;
  let over = false;
  const ended = running.finally(() => {
    over = true;
  });
  ended.catch(() => {});
  while (!over) {
    await Promise.race([pause(LOOK_EVERY_MS), ended]);
    anonymous = Math.max(anonymous, anonymousBytes(pid));
    workingSet = Math.max(workingSet, workingSetBytes(pid));
  }
  return [await ended, { ...memoryOf(pid), anonymous, workingSet }];
}
