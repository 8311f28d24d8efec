import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { metadataFlags } from '../../test/e2e/access.ts';
import { Cluster } from '../../test/e2e/cluster.ts';
import { BIN, inNetwork } from '../../test/e2e/network.ts';
import { NODE_NAME } from '../../test/e2e/place.ts';
import { container, pod, waitForPhase } from '../../test/e2e/pods.ts';
import type { Agent } from '../../test/support/agent.ts';
import { ROOT } from '../../test/support/paths.ts';
import { type Bed, prepareAgent } from '../bed/bed.ts';
import { countLines } from '../bed/journal.ts';
import { type Memory, memoryOf } from '../bed/memory.ts';
import { createMemoryCgroup } from '../bed/memory-cgroup.ts';
import { cpuSeconds, settle } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { inTurns } from '../turns.ts';

/** The maximum number of pods on a node. */
const PODS = 110;
/** The number of pods that run a storm at a time. */
const STORMS = 20;
const ROUNDS = 3;
const NOOP = '/programs/noop';

/**
 * The figures of the bundled agent on a full Kubernetes node, with the API server as its source.
 */
export interface NodeRun {
  readonly pods: number;
  readonly storms: number;
  readonly atRest: Memory;
  /** At rest again, after the storms. */
  readonly afterStorms: Memory;
  /** The CPU time of the agent for an exec in a pod. */
  readonly micros: Spread;
  /** The ratio to an exec on the host, within each round. */
  readonly timesHost: Spread;
  readonly execs: number;
  readonly lost: number;
  /** The records of the storms that lack metadata of their pod. */
  readonly incomplete: number;
}

/** Whether the components of a node exist; `make e2e` builds them. */
export function canRunNode(): boolean {
  return existsSync(join(BIN, 'kube'));
}

/** Runs storms alternately in pods and on the host, and measures the agent between them. */
export async function measureNode(bed: Bed): Promise<NodeRun> {
  const cluster = await Cluster.start();
  const end = bed.cleanup.add(() => cluster[Symbol.asyncDispose]());
  const { agent, close } = await startBundle(bed, await metadataFlags(cluster));
  const pods = await fillNode(cluster);
  const atRest = await memoryAtRest(bed, agent);
  const inside = () => {
    const some = pods.slice(0, STORMS);
    return beside(agent, () => stormInside(cluster, some, bed.seconds));
  };
  const outside = () => beside(agent, () => storm(bed, bed.seconds));
  const rounds = await inTurns(Math.min(ROUNDS, bed.rounds), { inside, outside });
  const afterStorms = await memoryAtRest(bed, agent);
  await agent.stop();
  const execs = rounds.reduce((sum, round) => sum + round.inside.execs, 0);
  const { journalDir } = agent;
  const records = await countLines(journalDir, `"object":"${NOOP}"`);
  const complete = '"vcml.metadata.state":"complete"';
  const whole = await countLines(journalDir, `"object":"${NOOP}"`, complete);
  await close();
  await end();
  return {
    pods: PODS,
    storms: STORMS,
    atRest,
    afterStorms,
    micros: spreadOf(rounds.map(({ inside }) => inside.micros)),
    timesHost: spreadOf(rounds.map(({ inside, outside }) => inside.micros / outside.micros)),
    execs,
    lost: execs - records,
    incomplete: records - whole,
  };
}

/** Starts the agent before the first pod, so that the memory of pods comes after its start. */
async function startBundle(bed: Bed, flags: readonly string[]) {
  const bundle = join(bed.directory, 'bundle');
  await promisify(execFile)(process.execPath, ['deploy/bundle.ts', bundle], { cwd: ROOT });
  const all = ['--node-name', NODE_NAME, '--journal-max-bytes', '64GiB', ...flags];
  const cgroup = createMemoryCgroup(bed);
  const prepared = prepareAgent(bed, ...all);
  const { agent } = prepared;
  const words = inNetwork([join(bundle, 'bin/vcml-agent')]).map((word) => `'${word}'`);
  agent.bin = join(bed.directory, 'agent');
  writeFileSync(agent.bin, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  agent.bin = cgroup.launcher(agent.bin);
  await agent.start();
  return prepared;
}

/** Creates pods that do nothing and returns their names. */
async function fillNode(cluster: Cluster): Promise<string[]> {
  const names = Array.from({ length: PODS }, (_, at) => `pod-${at}`);
  const spec = { nodeName: NODE_NAME, hostNetwork: true };
  await cluster.apply(
    ...names.map((name) => pod(name, [container('main', ['sleep', '1000000'])], spec)),
  );
  await waitForPhase(cluster, 'Running', ...names);
  return names;
}

/** Runs a loop in each pod at once and returns the number of execs. */
async function stormInside(cluster: Cluster, pods: readonly string[], seconds: number) {
  const command = ['--', '/programs/storm', '1', `${seconds}`, NOOP];
  const all = await Promise.all(pods.map((name) => cluster.kubectl('exec', name, ...command)));
  return all.reduce((sum, execs) => sum + Number(execs), 0);
}

interface Run {
  readonly micros: number;
  readonly execs: number;
}

async function beside({ pid }: Agent, running: () => Promise<number>): Promise<Run> {
  await settle(pid);
  const before = cpuSeconds(pid);
  const execs = await running();
  await settle(pid);
  return { micros: ((cpuSeconds(pid) - before) * 1e6) / execs, execs };
}

/** Measures after some time in which almost nothing executes. */
async function memoryAtRest({ idleSeconds }: Bed, { pid }: Agent): Promise<Memory> {
  await settle(pid);
  await pause(idleSeconds * 1000);
  return memoryOf(pid);
}
