import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readBootId } from '../../record/ids.ts';
import { textOf } from '../../record/kernel-text.ts';
import { createLineWriter, type Self } from '../../record/line/encode.ts';
import type { BootTime, Loss } from '../../record/types.ts';
import type { Config } from '../config/schema.ts';
import { Enricher } from '../enrich/enricher.ts';
import type { PodSource } from '../enrich/pods/pod-source.ts';
import { hostResource } from '../enrich/resource.ts';
import { ContainerStates } from '../enrich/runtimes/container-states.ts';
import { RUNTIME_DIRS } from '../enrich/runtimes/runtimes.ts';
import type { Journal } from '../journal/journal.ts';
import { Lineage } from '../lineage/lineage.ts';
import { Losses } from '../lineage/losses.ts';
import {
  agreeing,
  ancestorOf,
  loadSnapshot,
  type Snapshot,
  saveSnapshot,
  snapshotProcesses,
} from '../source/ancestors.ts';
import { Clock } from '../source/clock.ts';
import { readCpuStates } from '../source/counters.ts';
import { createDecoder } from '../source/decode.ts';
import type { Hook } from '../source/hook.ts';
import { VERSION } from '../version.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { type Continuity, readContinuity } from './resume.ts';
import { openPodSource, redactOf } from './wiring.ts';

/** In the journal's folder: the processes that were there before the hook. */
export const SNAPSHOT_FILE = 'ancestors.json';
/** A little more than the kernel side takes between the arming and its moment. */
const ARMING_MS = 3;

/** One run of the agent: a hook and a journal, put together. */
export interface Session {
  readonly hook: Hook;
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly lineage: Lineage;
  readonly enricher: Enricher;
  readonly pods: PodSource;
  readonly clock: Clock;
  readonly bootId: string;
  readonly hookId: string;
  readonly nextSeq: Float64Array;
  /** Execs that the kernel had skipped when an earlier run last looked. */
  readonly kernelMisses: number;
}

/** What the outside wants to hear of while a session runs. */
export interface SessionEvents
  extends Pick<RecorderOptions, 'onRecord' | 'onBatch' | 'onFailure' | 'onJournalProblem'> {
  /** Called when the metadata of pods cannot be had, and again (undefined) when it can. */
  onMetadataProblem(error: Error | undefined): void;
  /** Called when a segment that tells where the last run stopped cannot be read. */
  onUnreadable(error: Error): void;
}

/** Arms a new hook or finds out where an earlier run stopped, and writes journal.start. */
export async function openSession(
  config: Config,
  hook: Hook,
  journal: Journal,
  events: SessionEvents,
): Promise<Session> {
  const bootId = readBootId();
  const { hookId, snapshot } = await arm(hook, join(config.journalDir, SNAPSHOT_FILE));
  const known = readContinuity(config.journalDir, events.onUnreadable);
  const nextSeq = expectedNumbers(hook, known, hookId);
  const decoder = createDecoder(hook.buffer, hook.cpuCount, redactOf(config));
  const clock = new Clock();
  const lineage = new Lineage({
    bootId,
    hookId,
    nextSeq,
    losses: known.hookId === hookId ? known.losses : new Losses(),
    quietRange: (cpu) => quietRange(hook, cpu),
    ancestor: (pid: number, startTime: BootTime) => ancestorOf(snapshot, pid, startTime),
  });
  const started = known.hookId === hookId ? known.started : undefined;
  const { enricher, pods } = openEnricher(config, hook, started, events);
  const recorder = new Recorder({
    hook,
    decoder,
    clock,
    lineage,
    nextSeq,
    enricher,
    lines: createLineWriter({ bootId, hookId, self: self(), offset: () => clock.offset }),
    journal,
    drainIntervalMs: config.drainInterval,
    ...events,
  });
  recorder.sample();
  recorder.add(lineage.start(VERSION, hook.state, clock.now));
  for (const loss of lossesBefore(known, bootId, hookId, hook)) recorder.lose(loss);
  const kernelMisses = known.hookId === hookId && hook.state === 'resumed' ? known.kernelMisses : 0;
  return {
    hook,
    journal,
    recorder,
    lineage,
    enricher,
    pods,
    clock,
    bootId,
    hookId,
    nextSeq,
    kernelMisses,
  };
}

/** What says where records happened; `pods` is to be closed. */
function openEnricher(
  config: Config,
  hook: Hook,
  started: Iterable<string> | undefined,
  { onMetadataProblem }: SessionEvents,
): { enricher: Enricher; pods: PodSource } {
  const host = hostOf(config);
  const mountNamespace = hostMountNamespace();
  const runtimes = new ContainerStates([...RUNTIME_DIRS, ...config.runtimeDirs]);
  const pods = openPodSource(config, {
    onPod: (uid) => enricher.podChanged(uid),
    onProblem: onMetadataProblem,
  });
  const enricher = new Enricher({
    host,
    hostMountNamespace: mountNamespace,
    readState: (id) => runtimes.read(id),
    pods,
    runtimeOnly: config.metadata === 'none',
    waitMs: config.metadataWait,
    started,
    cgroupName: (hierarchy, id) => {
      const entry = hook.cgroup(hierarchy, id);
      return entry && { parent: entry.parent, name: textOf(entry.name, 0, entry.name.length) };
    },
  });
  enricher.start();
  return { enricher, pods };
}

/** Starts a new hook between two looks at the processes that there are. */
async function arm(hook: Hook, file: string): Promise<{ hookId: string; snapshot: Snapshot }> {
  if (hook.state !== 'attached') {
    const hookId = hook.arm().toString();
    return { hookId, snapshot: loadSnapshot(file, hookId) };
  }
  const before = snapshotProcesses();
  const hookId = hook.arm().toString();
  await pause(ARMING_MS);
  const snapshot = agreeing(before, snapshotProcesses());
  saveSnapshot(file, hookId, snapshot);
  return { hookId, snapshot };
}

/** Of each CPU, the first number that is in no journal yet. */
function expectedNumbers(hook: Hook, known: Continuity, hookId: string): Float64Array {
  const here = known.hookId === hookId ? known.nextSeq : [];
  const next = readCpuStates(hook.cpuStates()).map(({ readSeq }, cpu) =>
    Math.max(readSeq + 1, here[cpu] ?? 1),
  );
  return Float64Array.from(next);
}

function quietRange(hook: Hook, cpu: number): { first: number; last: number } {
  const state = readCpuStates(hook.cpuStates())[cpu];
  return { first: state?.quietFirst ?? 0, last: state?.quietLast ?? 0 };
}

/** What must have been lost between the last run's end and this hook's beginning. */
function lossesBefore(known: Continuity, bootId: string, hookId: string, hook: Hook): Loss[] {
  const losses: Loss[] = [];
  const { nextSeq } = known;
  const before = known.bootId !== undefined && known.hookId !== hookId && !known.detached;
  if (before && known.bootId !== bootId)
    losses.push({ stage: 'reboot', bootId: known.bootId ?? '', nextSeq });
  // The same boot, and yet another hook: somebody removed the one that was left recording.
  else if (before) losses.push({ stage: 'kernel', hookId: known.hookId ?? '', nextSeq });
  if (hook.missingPrograms.length > 0) losses.push({ stage: 'kernel', hookId });
  return losses;
}

function hostOf(config: Config): Readonly<Record<string, string>> {
  return hostResource({
    nodeName: config.nodeName,
    clusterName: config.clusterName,
    machineId: readIfThere('/etc/machine-id'),
    kubernetes: config.metadata !== 'none',
    extra: process.env.OTEL_RESOURCE_ATTRIBUTES,
    serviceName: process.env.OTEL_SERVICE_NAME,
  });
}

/** That of the host's init or of kthreadd; where neither may be looked into, the agent's own. */
function hostMountNamespace(): number {
  for (const pid of [1, 2]) {
    try {
      return statSync(`/proc/${pid}/ns/mnt`).ino;
    } catch {}
  }
  return statSync('/proc/self/ns/mnt').ino;
}

function self(): Self {
  const { pid, ppid } = process;
  const comm = readIfThere('/proc/self/comm') ?? 'vcml-agent';
  const executable = readlinkSync('/proc/self/exe');
  return {
    pid,
    ppid,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    comm,
    executable,
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
