import { once } from 'node:events';
import type { Config } from '../config/schema.ts';
import type { Exporter } from '../export/exporter.ts';
import type { Journal } from '../journal/journal.ts';
import { openJournal } from '../journal/journal.ts';
import { createOutput } from '../print/output.ts';
import { type Hook, openHook } from '../source/hook.ts';
import { createLog, createProblemTeller, type Log } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { createStateWriter, type StateWriter } from './checkpoint.ts';
import { createExporter, startExporter } from './export-wiring.ts';
import { createOnExit, type Leaving, type OnExit } from './on-exit.ts';
import { tellUnseen } from './privileges.ts';
import { openTelemetry, sourceOf } from './readings.ts';
import { openSession, type Session } from './session.ts';
import { deleteAll } from './uninstall.ts';
import { hookOptions, journalOptions } from './wiring.ts';

/** How long an end may wait for the collector; what it does not take by then, the next run exports. */
const EXPORT_GRACE_MS = 5000;

/** What a run has besides its hook and its journal. */
interface Run {
  readonly config: Config;
  readonly log: Log;
  readonly stop: AbortSignal;
  readonly exporter: Exporter | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly onExit: OnExit;
}

/** Attaches or resumes, and records until it is to stop; returns the exit code. */
export async function run(config: Config, stop: AbortSignal): Promise<number> {
  const log = createLog(config.logLevel);
  using onExit = createOnExit(config, process.env, log);
  const exporter = await createExporter(config, process.env, log);
  const telemetry = await openTelemetry(config, log);
  try {
    await runHook({ config, log, stop, exporter, telemetry, onExit });
    return 0;
  } finally {
    telemetry?.close();
  }
}

async function runHook(run: Run): Promise<void> {
  const { config, log, stop, exporter } = run;
  const hook = await openHook(hookOptions(config), config.waitForHook, stop);
  let journal: Journal | undefined;
  let journalGoes = false;
  try {
    journal = openJournal({
      ...journalOptions(config),
      onProblem: createProblemTeller((error) =>
        log.error({ error: error.message }, 'journal problem'),
      ),
    });
    if (journal.recovered.tornBytes > 0)
      log.warn(
        { ...journal.recovered },
        'cut a torn line that a crash had left at the journal’s end',
      );
    if (exporter) startExporter(exporter, config.journalDir, journal);
    journalGoes = await record(run, hook, journal);
  } catch (error) {
    // A hook that never came to record leaves nothing behind.
    if (journal === undefined && hook.state === 'attached') hook.detach();
    throw error;
  } finally {
    hook.close();
    await exporter?.close(EXPORT_GRACE_MS);
    await journal?.close();
  }
  if (journalGoes) deleteAll(config, log);
}

/** Records until the end; whether the journal is to go as well. */
async function record(run: Run, hook: Hook, journal: Journal): Promise<boolean> {
  const { config, log, stop, exporter, telemetry, onExit } = run;
  const output = createOutput(config);
  const failed = Promise.withResolvers<never>();
  const session = await openSession(config, hook, journal, {
    onRecord: output.record,
    onBatch: () => state.write(),
    onFailure: failed.reject,
    onJournalProblem: (error) => {
      telemetry?.health.noteJournal(error);
      tellJournalProblem(log, error);
    },
    onMetadataProblem: (error) => {
      telemetry?.noteMetadata(error);
      tellMetadataProblem(log, config, error);
    },
    onUnreadable: (error) =>
      log.error({ error: error.message }, 'a segment cannot be read, and is passed over'),
  });
  const tellStateProblem = createProblemTeller((error) =>
    log.warn({ error: error.message }, 'state.json could not be written'),
  );
  const state = createStateWriter(config, session, tellStateProblem);
  log.info(
    { hook: session.hookId, pins: config.pinDir, journal: config.journalDir },
    `hook ${hook.state}: recording`,
  );
  tellUnseen(log);
  telemetry?.begin(sourceOf(config, session, exporter));
  session.recorder.start();
  let leaving: Leaving;
  try {
    // While it asks, it records.
    const asked = aborted(stop).then(() => onExit.leaving());
    leaving = await Promise.race([asked, failed.promise]);
  } finally {
    session.pods.close();
    state.close();
  }
  log.info({}, `${stop.reason}: ending`);
  telemetry?.end();
  session.recorder.stop();
  state.tellMisses();
  const isWhole = end(leaving.hook, session, state, log);
  await output.summary(session.lineage.counts, config.journalDir);
  return isWhole && leaving.journal;
}

/** Everything that was accepted goes to disk, if it can; then the hook is kept or taken away. */
function end(detach: boolean, session: Session, state: StateWriter, log: Log): boolean {
  const { hook, recorder, lineage } = session;
  let complete = recorder.flush();
  if (complete && detach) {
    hook.disarm();
    complete = recorder.flush();
  }
  const hookState = detach ? 'detached' : 'kept';
  if (complete && recorder.finish((now) => lineage.stop(hookState, now))) {
    state.write(hookState);
    if (detach) hook.detach();
    return true;
  }
  log.error({}, 'the journal cannot be written: the hook stays and keeps what is not in it yet');
  return false;
}

function tellJournalProblem(log: Log, error: Error | undefined): void {
  if (error === undefined) log.info({}, 'the journal can be written again');
  else
    log.error(
      { error: error.message },
      'the journal cannot be written; the ring keeps what it can',
    );
}

function tellMetadataProblem(log: Log, { metadata }: Config, error: Error | undefined): void {
  if (error === undefined) log.info({ metadata }, 'the pods’ metadata is there again');
  else
    log.warn(
      { metadata, error: error.message },
      'no metadata of pods: records have what the runtime knows, and it is tried again',
    );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
