import { readBootId } from '../../../record/ids.ts';
import { createLineWriter } from '../../../record/line/encode.ts';
import type { Loss } from '../../../record/types.ts';
import type { Config } from '../../config/schema.ts';
import type { Enricher } from '../../enrich/enricher.ts';
import type { PodSource } from '../../enrich/pods/pod-source.ts';
import type { Journal } from '../../journal/journal.ts';
import { Lineage } from '../../lineage/lineage.ts';
import { LossLimit } from '../../lineage/loss-limit.ts';
import { ancestorOf } from '../../source/ancestors.ts';
import { arm } from '../../source/arming.ts';
import { Clock } from '../../source/clock.ts';
import { readCpuState, readCpuStates } from '../../source/counters.ts';
import { createDecoder } from '../../source/decode.ts';
import type { Hook } from '../../source/hook.ts';
import { VERSION } from '../../version.ts';
import { checkpointKey } from '../checkpoint-key.ts';
import { ownProcess } from '../proc.ts';
import type { Report } from '../report.ts';
import { type Continuity, continuityFrom } from '../resume/continuity.ts';
import { lossesOf } from '../resume/doubts.ts';
import { readContinuity } from '../resume/resume.ts';
import {
  createEnricher,
  environmentNames,
  environmentRecorder,
  loadPodSource,
  redactOf,
} from '../wiring.ts';
import { createCheckpointLines } from './checkpoint-lines.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { WrittenNumbers } from './written-numbers.ts';

/** A hook and a journal, and everything between them. */
export interface Session {
  readonly hook: Hook;
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly lineage: Lineage;
  readonly lossLimit: LossLimit;
  readonly enricher: Enricher;
  readonly pods: PodSource;
  readonly bootId: string;
  readonly hookId: string;
  readonly nextSeq: Float64Array;
}

/** The functions that a session calls. */
export type SessionListeners = Pick<RecorderOptions, 'onRecord'> & { readonly report: Report };

/** Arms a new hook, or finds where an earlier run stopped, and begins with a journal.start. */
export async function openSession(
  config: Config,
  hook: Hook,
  journal: Journal,
  { onRecord, report }: SessionListeners,
): Promise<Session> {
  // Before the hook is armed: a cgroup that ends between that and the enricher's scan has no name.
  const openPodSource = await loadPodSource(config);
  const { hookId, snapshot } = await arm(hook, config.journalDir);
  const bootId = readBootId();
  const readSeq = readCpuStates(hook.cpuStates()).map((cpu) => cpu.readSeq);
  const known = await readContinuity(config.journalDir, { hookId, readSeq }, report);
  const isSameHook = known.hookId === hookId;
  const nextSeq = expectedNumbers(hook, isSameHook ? known.nextSeq : []);
  const clock = new Clock();
  const lineage = new Lineage({
    bootId,
    hookId,
    nextSeq,
    losses: lossesOf(known, hookId, nextSeq),
    quietRange: (cpu) => quietRange(hook, cpu),
    ancestor: (pid, startTime) => ancestorOf(snapshot, pid, startTime),
  });
  const lossLimit = new LossLimit(lineage.losses, nextSeq, {
    numbers: () => readCpuStates(hook.cpuStates()).map(({ seq }) => seq),
    causes: () => hook.causes(),
  });
  const enricher = createEnricher(config, hook, isSameHook ? known : continuityFrom(), report);
  const pods = openPodSource({ onPod: (uid) => enricher.podChanged(uid), report });
  await enricher.start(pods);
  const numbers = new WrittenNumbers(hookId, nextSeq);
  const lines = createLineWriter({
    bootId,
    hookId,
    self: ownProcess(),
    offset: () => clock.offset,
  });
  const key = checkpointKey(config, (error) =>
    report({ event: 'journal.checkpoint_key_invalid', error }),
  );
  const recorder = new Recorder({
    hook,
    hookId,
    decoder: createDecoder(
      hook.buffer,
      hook.cpuCount,
      redactOf(config),
      environmentNames(config),
      environmentRecorder(config),
    ),
    clock,
    lineage,
    nextSeq,
    enricher,
    lines,
    numbers,
    journal,
    drainIntervalMs: config.drainInterval,
    kernelMisses: hook.state === 'resumed' ? missesBefore(known, hookId, hook) : 0,
    onRecord,
    report,
  });
  const completeUntil = () => recorder.completeUntil;
  const of = {
    hook,
    hookId,
    clock,
    lineage,
    enricher,
    lines,
    numbers,
    completeUntil,
    key,
    onRecord,
  };
  journal.sealWith(createCheckpointLines(of), () => recorder.isWritten);
  recorder.sample();
  recorder.add(lineage.start(VERSION, hook.state, clock.now));
  for (const loss of lossesBefore(known, bootId, hookId, hook)) recorder.lose(loss);
  return { hook, journal, recorder, lineage, lossLimit, enricher, pods, bootId, hookId, nextSeq };
}

/** Returns the first number of each CPU that is in no journal yet. */
function expectedNumbers(hook: Hook, here: readonly number[]): Float64Array {
  const next = readCpuStates(hook.cpuStates()).map(({ readSeq }, cpu) =>
    Math.max(readSeq + 1, here[cpu] ?? 1),
  );
  return Float64Array.from(next);
}

/** Returns the execs that the kernel had skipped and that are recorded; it counted for this hook. */
function missesBefore(known: Continuity, hookId: string, { readMisses }: Hook): number {
  // A hook of an earlier version knows none.
  return Math.max(readMisses, known.hookId === hookId ? known.kernelMisses : 0);
}

function quietRange(hook: Hook, cpu: number): { first: number; last: number } {
  const { quietFirst, quietLast } = readCpuState(hook.cpuStates(), cpu);
  return { first: quietFirst, last: quietLast };
}

/**
 * Returns what must have been lost between the end of the last run and the beginning of this hook,
 * and what earlier runs have not recorded, the oldest first.
 */
function lossesBefore(known: Continuity, bootId: string, hookId: string, hook: Hook): Loss[] {
  const isSameHook = known.hookId === hookId;
  const isOver = known.bootId !== undefined && !isSameHook && !known.detached;
  const over = isOver ? [...known.before, known] : known.before;
  const losses = over.map((former, n) => lossAfter(former, over[n + 1]?.bootId ?? bootId));
  // At the latest, all programs were attached when the hook was armed.
  const since = (isSameHook && known.attachedAt) || hookId;
  if (hook.missingPrograms.length > 0) losses.push({ stage: 'kernel', hookId, since });
  return losses;
}

/** Returns what was lost when a hook ended without an agent, before the next hook of this boot. */
function lossAfter(
  { bootId = '', hookId = '', nextSeq, attachedAt }: Continuity,
  nextBootId: string,
): Loss {
  if (bootId !== nextBootId) return { stage: 'reboot', bootId, nextSeq };
  // The boot is the same and the hook is another one: the old hook was removed by others.
  return { stage: 'kernel', hookId, nextSeq, since: attachedAt ?? hookId };
}
