import { once } from 'node:events';
import type { Config } from '../config/schema.ts';
import type { Exporter } from '../export/exporter.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import type { Log } from '../log-events.ts';
import { createOutput } from '../print/output.ts';
import { type Hook, openHook } from '../source/hook.ts';
import { createLog } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type CheckpointWriter, createCheckpointWriter } from './checkpoint.ts';
import { DrainLoop } from './drain-loop.ts';
import { endSession } from './ending.ts';
import { createExporter, startExporter } from './export-wiring.ts';
import { isInHostPidNamespace, mayInspectProcesses } from './proc.ts';
import { openTelemetry, sourceOf } from './readings.ts';
import { createReport, type Report } from './report.ts';
import { openSession, type Session } from './session.ts';
import { createExitPolicy, deleteAll, type ExitPolicy, type Removal } from './uninstall.ts';
import { hookOptions, journalOptions } from './wiring.ts';

/** How long an end may wait for the collector; what it does not take by then, the next run exports. */
const EXPORT_GRACE_MS = 5000;

/** What a run has before it touches hook and journal. */
interface Run {
  readonly config: Config;
  readonly log: Log;
  readonly exitPolicy: ExitPolicy;
  readonly exporter: Exporter | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly report: Report;
}

/** What a run holds, and nobody else at the same time. */
interface Held {
  readonly hook: Hook;
  readonly journal: Journal;
}

/** Attaches or resumes, and records until `stop`; returns the exit code. */
export async function run(config: Config, stop: AbortSignal): Promise<number> {
  const log = createLog(config.logLevel);
  using exitPolicy = createExitPolicy(config, process.env, log);
  const exporter = await createExporter(config, process.env, log);
  const telemetry = await openTelemetry(config, log);
  const report = createReport(config, log, telemetry);
  try {
    await openRecordEnd({ config, log, exitPolicy, exporter, telemetry, report }, stop);
    return 0;
  } finally {
    telemetry?.close();
  }
}

async function openRecordEnd(run: Run, stop: AbortSignal): Promise<void> {
  const held = await open(run, stop);
  let removesJournal = false;
  try {
    if (run.exporter) startExporter(run.exporter, run.config.journalDir, held.journal);
    removesJournal = await recordAndEnd(run, held, stop);
  } finally {
    await close(run, held);
  }
  if (removesJournal) deleteAll(run.config, run.log);
}

/** Takes the hook, then the journal. */
async function open({ config, log, report }: Run, stop: AbortSignal): Promise<Held> {
  const hook = await openHook(hookOptions(config), config.waitForHook, stop);
  try {
    const journal = openJournal({ ...journalOptions(config), report });
    const { tornBytes, segment } = journal.recovered;
    if (tornBytes > 0) log('journal.torn_line_cut', { tornBytes, segment });
    return { hook, journal };
  } catch (error) {
    // A hook that never came to record leaves nothing behind.
    if (hook.state === 'attached') hook.detach();
    hook.close();
    throw error;
  }
}

/** Records until `stop`, then puts everything on disk; returns whether the journal is to be deleted. */
async function recordAndEnd(
  run: Run,
  { hook, journal }: Held,
  stop: AbortSignal,
): Promise<boolean> {
  const { config, log, report, exporter, telemetry } = run;
  const output = createOutput(config);
  const session = await openSession(config, hook, journal, { onRecord: output.record, report });
  const checkpoint = createCheckpointWriter(config, session, report);
  const loop = new DrainLoop(session.recorder, checkpoint, config.drainInterval);
  logStart(run, session);
  telemetry?.begin(sourceOf(config, session, loop, exporter));
  const removal = await record(run, session, loop, stop);
  log('run.stopping', { signal: stop.reason });
  telemetry?.end();
  const isWhole = end(run, session, checkpoint, removal);
  await output.summary(session.lineage.counts, config.journalDir);
  return isWhole && removal.journal;
}

function logStart({ config, log }: Run, { hook, hookId }: Session): void {
  log(`hook.${hook.state}`, { hook: hookId, pins: config.pinDir, journal: config.journalDir });
  if (!isInHostPidNamespace()) log('run.pid_namespace_missing');
  else if (!mayInspectProcesses()) log('run.ptrace_missing');
}

/** Records until `stop`, and while it is being asked what the end removes. */
async function record(
  { exitPolicy }: Run,
  { pods }: Session,
  loop: DrainLoop,
  stop: AbortSignal,
): Promise<Removal> {
  const recording = loop.run().then(() => Promise.reject(new Error('the recording has ended')));
  try {
    const decided = aborted(stop).then(() => exitPolicy.removal());
    return await Promise.race([decided, recording]);
  } finally {
    pods.close();
    loop.stop();
  }
}

/** Puts on disk what was accepted, and keeps or removes the hook; false: not all could be written. */
function end(
  { log }: Run,
  session: Session,
  checkpoint: CheckpointWriter,
  removal: Removal,
): boolean {
  const removed = endSession(session, checkpoint, removal.hook ? 'detached' : 'kept');
  if (removed === undefined) log('run.records_left_in_ring');
  return removed !== undefined;
}

async function close({ exporter }: Run, { hook, journal }: Held): Promise<void> {
  hook.close();
  await exporter?.close(EXPORT_GRACE_MS);
  await journal.close();
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
