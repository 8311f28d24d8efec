import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Agent } from '../../test/support/agent.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { settle } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled';
const PROGRAMS = ['on_fork', 'on_exec', 'on_exit'];
const SECONDS = 5;
const QUIET_MS = 1500;

/** The cost of the hook in the kernel. */
export interface KernelCost {
  /** Maps the name of a program to the average nanoseconds of one run. */
  readonly programs: Readonly<Record<string, number>>;
  /** The bytes of all maps, which the kernel charges to the agent's memory cgroup. */
  readonly mapBytes: number;
}

interface Program {
  readonly name: string;
  readonly run_time_ns?: number;
  readonly run_cnt?: number;
}

/** Has the kernel measure its own programs during a storm. */
export async function measureKernel(bed: Bed): Promise<KernelCost> {
  const { agent, close } = await startedAgent(bed);
  await storm(bed, Math.min(1, bed.seconds));
  const cost = await costOf(bed, agent);
  await settle(agent.pid);
  await close();
  return cost;
}

/** Measures the same when nobody reads for so long that the programs store no more events. */
export async function measureQuiet(bed: Bed): Promise<KernelCost> {
  const { agent, close } = await startedAgent(bed, '--quiet-after', '1s');
  await storm(bed, Math.min(1, bed.seconds));
  await agent.kill();
  await pause(QUIET_MS);
  const cost = await costOf(bed, agent);
  await close();
  return cost;
}

async function costOf(bed: Bed, agent: Agent): Promise<KernelCost> {
  const switchBack = switchStatisticsOn(bed);
  const before = pinned(agent);
  await storm(bed, Math.min(SECONDS, bed.seconds));
  const after = pinned(agent);
  await switchBack();
  const costs = PROGRAMS.map((name) => [name, averageOf(before.programs, after.programs, name)]);
  return { programs: Object.fromEntries(costs), mapBytes: after.mapBytes };
}

function averageOf(before: readonly Program[], after: readonly Program[], name: string): number {
  const then = before.find((program) => program.name === name);
  const now = after.find((program) => program.name === name);
  const runs = (now?.run_cnt ?? 0) - (then?.run_cnt ?? 0);
  if (runs <= 0) throw new Error(`${name} did not run`);
  return ((now?.run_time_ns ?? 0) - (then?.run_time_ns ?? 0)) / runs;
}

/** Switches the statistics on for a measurement only: they slow down every BPF program. */
function switchStatisticsOn(bed: Bed): () => Promise<void> {
  const was = readFileSync(SWITCH, 'utf8');
  writeFileSync(SWITCH, '1');
  return bed.cleanup.add(() => writeFileSync(SWITCH, was));
}

/** Lists the agent's pins with bpftool: programs, their links, and maps. */
function pinned({ pinDir }: Agent): { programs: Program[]; mapBytes: number } {
  const programs: Program[] = [];
  let mapBytes = 0;
  for (const name of readdirSync(pinDir)) {
    const path = join(pinDir, name);
    if (name.startsWith('program_'))
      programs.push(bpftool<Program>('prog', 'show', 'pinned', path));
    else if (!name.startsWith('on_'))
      mapBytes +=
        bpftool<{ bytes_memlock?: number }>('map', 'show', 'pinned', path).bytes_memlock ?? 0;
  }
  return { programs, mapBytes };
}

function bpftool<T>(...args: readonly string[]): T {
  return JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }));
}
