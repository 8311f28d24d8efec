import type { Config } from '../config/schema.ts';
import type { MetadataEvent } from '../enrich/pods/pod-source.ts';
import type { UpkeepFailed } from '../journal/archive/archive.ts';
import type { Log } from '../log-events.ts';
import { suppressRepeats } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { BatchEvent } from './session/batch.ts';
import type { PinEvent } from './session/pin-keeper.ts';

/** Problems of a run that do not end it, and their ends. `event` is the code in the log. */
export type RunEvent =
  | BatchEvent
  | UpkeepFailed
  | PinEvent
  | MetadataEvent
  | { readonly event: 'metadata.runtime_stalled' }
  | { readonly event: 'run.state_missing'; readonly segments: number }
  | {
      readonly event:
        | 'journal.segment_unreadable'
        | 'journal.checkpoint_key_invalid'
        | 'run.state_write_failed'
        | 'run.containers_write_failed';
      readonly error: Error;
    };

/** Takes the events of all rooms. */
export type Report = (event: RunEvent) => void;

/** Creates the function that writes each event to the log, and passes it to health and metrics. */
export function createReport(
  { metadata }: Config,
  log: Log,
  telemetry: Telemetry | undefined,
): Report {
  // Each of these may come again and again.
  const upkeepFailed = suppressRepeats((error) =>
    log('journal.upkeep_failed', { error: error.message }),
  );
  const stateWriteFailed = suppressRepeats((error) =>
    log('run.state_write_failed', { error: error.message }),
  );
  const containersWriteFailed = suppressRepeats((error) =>
    log('run.containers_write_failed', { error: error.message }),
  );
  const keyInvalid = suppressRepeats((error) =>
    log('journal.checkpoint_key_invalid', { error: error.message }),
  );
  const runtimeStalled = suppressRepeats(() => log('metadata.runtime_stalled'));
  const metadataReduced = suppressRepeats(({ message: pod }) => log('metadata.reduced', { pod }));
  return (one) => {
    switch (one.event) {
      case 'journal.write_failed':
      case 'journal.write_stalled':
        telemetry?.health.noteJournal(one.error);
        return log(one.event, { error: one.error.message });
      case 'journal.write_recovered':
        telemetry?.health.noteJournal(undefined);
        return log(one.event);
      case 'hook.unpinned':
        telemetry?.health.noteHook(one.error);
        return log(one.event, { error: one.error.message });
      case 'hook.pinned_again':
        telemetry?.health.noteHook(undefined);
        return log(one.event, { pins: one.pins });
      case 'metadata.unavailable':
        telemetry?.noteMetadata(one.error);
        return log(one.event, { metadata, error: one.error.message });
      case 'metadata.available':
        telemetry?.noteMetadata(undefined);
        return log(one.event, { metadata });
      case 'metadata.reduced':
        telemetry?.noteReducedPod();
        return metadataReduced(new Error(one.pod));
      case 'metadata.runtime_stalled':
        return runtimeStalled(new Error(one.event));
      case 'run.state_missing':
        return log(one.event, { segments: one.segments });
      case 'journal.checkpoint_key_invalid':
        return keyInvalid(one.error);
      case 'journal.segment_unreadable':
        return log(one.event, { error: one.error.message });
      case 'journal.upkeep_failed':
        telemetry?.noteUpkeepFailed();
        return upkeepFailed(one.error);
      case 'run.state_write_failed':
        return stateWriteFailed(one.error);
      case 'run.containers_write_failed':
        return containersWriteFailed(one.error);
    }
  };
}
