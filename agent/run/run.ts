import { once } from 'node:events';
import type { Config } from '../config/schema.ts';
import type { JournalExport } from '../export/journal-export.ts';
import type { PreparedExport } from '../export/prepare-export.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import type { Log } from '../log-events.ts';
import { createOutput, type Output } from '../print/output.ts';
import { type Hook, openHook } from '../source/hook.ts';
import { createLog } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { attended } from './attended.ts';
import { checkRun } from './check-run.ts';
import { prepareExport, startExport } from './export-wiring.ts';
import { unseenProcesses } from './proc.ts';
import { openTelemetry, sourceOf } from './readings.ts';
import { createReport, type Report } from './report.ts';
import { saveRunOptions } from './run-options.ts';
import { type CheckpointWriter, createCheckpointWriter } from './session/checkpoint.ts';
import { DrainLoop } from './session/drain-loop.ts';
import { endSession } from './session/ending.ts';
import { PinKeeper } from './session/pin-keeper.ts';
import { openSession, type Session } from './session/session.ts';
import { createExitPolicy, deleteAll, type ExitPolicy, type Removal } from './uninstall.ts';
import { hookOptions, journalOptions } from './wiring.ts';

/** How long the end may wait for the collector. The next run exports what is left. */
const EXPORT_GRACE_MS = 5000;

/** The parts of a run that need neither hook nor journal. */
interface Run {
  readonly config: Config;
  readonly log: Log;
  readonly exitPolicy: ExitPolicy;
  readonly preparedExport: PreparedExport | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly report: Report;
}

/** What only one run can hold at a time. */
interface Held {
  readonly hook: Hook;
  readonly journal: Journal;
  readonly journalExport: JournalExport | undefined;
}

/** A session that records. */
interface Recording {
  readonly session: Session;
  readonly pins: PinKeeper;
  readonly checkpoint: CheckpointWriter;
  readonly loop: DrainLoop;
  readonly output: Output;
}

/** Attaches or resumes, and records until `stop`; returns the exit code. */
export async function run(config: Config, stop: AbortSignal): Promise<number> {
  const log = createLog(config.logLevel);
  const { pod, credentials } = await checkRun(config, process.env, log);
  using exitPolicy = await createExitPolicy(config, pod, log);
  const preparedExport = await prepareExport(config, credentials, log);
  const telemetry = await openTelemetry(config, log);
  const report = createReport(config, log, telemetry);
  const run = { config, log, exitPolicy, preparedExport, telemetry, report };
  let removesJournal = false;
  try {
    const held = await open(run, stop);
    try {
      const recording = await begin(run, held);
      const removal = await record(run, recording, stop);
      log('run.stopping', { signal: stop.reason });
      removesJournal = await end(run, recording, removal);
    } finally {
      await close(held.hook, held.journal, held.journalExport);
    }
    if (removesJournal) await deleteAll(config, log);
    return 0;
  } finally {
    telemetry?.close();
  }
}

/** Opens the hook, then the journal, and starts the export of the journal. */
async function open(run: Run, stop: AbortSignal): Promise<Held> {
  const { config, log, preparedExport, report } = run;
  const hook = await openHook(hookOptions(config), config.waitForHook, stop);
  let journal: Journal | undefined;
  try {
    journal = await attended(hook, openJournal({ ...journalOptions(config, hook), report }));
    const { tornBytes, segment } = journal.recovered;
    if (tornBytes > 0) log('journal.torn_line_cut', { tornBytes, segment });
    const journalExport =
      preparedExport &&
      (await attended(hook, startExport(preparedExport, config.journalDir, journal)));
    return { hook, journal, journalExport };
  } catch (error) {
    // A new hook that has recorded nothing leaves nothing behind.
    if (hook.state === 'attached') hook.detach();
    await close(hook, journal);
    throw error;
  }
}

/** Arms or resumes the hook, and writes journal.start. */
async function begin(run: Run, { hook, journal, journalExport }: Held): Promise<Recording> {
  const { config, log, telemetry, report } = run;
  const output = await createOutput(config);
  const listeners = { onRecord: output.record, report };
  const session = await attended(hook, openSession(config, hook, journal, listeners));
  const { journalDir, pinDir } = config;
  const pins = new PinKeeper(hook, pinDir, report);
  await keepOptions(run, session.hookId);
  const checkpoint = createCheckpointWriter(config, session, report, pins);
  const loop = new DrainLoop(session.recorder, checkpoint, config.drainInterval);
  log(`hook.${hook.state}`, { hook: session.hookId, pins: pinDir, journal: journalDir });
  const unseen = unseenProcesses();
  if (unseen !== undefined) log(unseen);
  telemetry?.begin(sourceOf(config, { session, pins, loop, journalExport }));
  return { session, pins, checkpoint, loop, output };
}

/** Keeps the options for `detach`, which refuses to write records without them. */
async function keepOptions({ config, log }: Run, hookId: string): Promise<void> {
  try {
    await saveRunOptions(config, process.env, hookId);
  } catch (error) {
    log('run.options_write_failed', { error: (error as Error).message });
  }
}

/** Records until `stop`, and until it is decided what to remove. */
async function record(
  { exitPolicy }: Run,
  { session, pins, loop }: Recording,
  stop: AbortSignal,
): Promise<Removal> {
  const turning = loop.run();
  try {
    const decided = aborted(stop).then(() => exitPolicy.removal());
    return await Promise.race([decided, turning.then(() => decided)]);
  } finally {
    session.pods.close();
    session.enricher.close();
    pins.close();
    loop.stop();
    await turning;
  }
}

/**
 * Writes the rest to disk, then keeps or detaches the hook. Returns whether to delete the journal,
 * too.
 */
async function end(
  { config, log, telemetry }: Run,
  { session, checkpoint, output }: Recording,
  removal: Removal,
): Promise<boolean> {
  telemetry?.end();
  const removed = await endSession(session, checkpoint, removal.hook ? 'detached' : 'kept');
  if (removed === undefined) log('run.records_left_in_ring');
  await checkpoint.close();
  await output.summary(session.lineage.counts, config.journalDir);
  return removed !== undefined && removal.journal;
}

/**
 * Releases the hook last: an agent that waits for it opens the journal at once. Until then the hook
 * stores events for that agent, although nobody reads them.
 */
async function close(
  hook: Hook,
  journal: Journal | undefined,
  journalExport?: JournalExport,
): Promise<void> {
  try {
    await attended(hook, closeJournal(journal, journalExport));
  } finally {
    hook.close();
  }
}

async function closeJournal(journal?: Journal, journalExport?: JournalExport): Promise<void> {
  await journalExport?.close(EXPORT_GRACE_MS);
  await journal?.close();
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
