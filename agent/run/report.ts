import type { Config } from '../config/schema.ts';
import type { MetadataEvent } from '../enrich/pods/pod-source.ts';
import type { UpkeepFailed } from '../journal/archive/archive.ts';
import type { Log } from '../log-events.ts';
import { createProblemTeller } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { BatchEvent } from './batch.ts';

/** What may go wrong while a hook and a journal are in use, and be right again; `event` is its code in the log. */
export type RunEvent =
  | BatchEvent
  | UpkeepFailed
  | MetadataEvent
  | {
      readonly event: 'journal.segment_unreadable' | 'run.state_write_failed';
      readonly error: Error;
    };

/** Takes every such event, from wherever it comes. */
export type Report = (event: RunEvent) => void;

/** Writes the events to the log, and tells health and metrics of those that they show. */
export function createReport(
  { metadata }: Config,
  log: Log,
  telemetry: Telemetry | undefined,
): Report {
  // The same may come again and again.
  const upkeepFailed = createProblemTeller((error) =>
    log('journal.upkeep_failed', { error: error.message }),
  );
  const stateWriteFailed = createProblemTeller((error) =>
    log('run.state_write_failed', { error: error.message }),
  );
  return (one) => {
    switch (one.event) {
      case 'journal.write_failed':
        telemetry?.health.noteJournal(one.error);
        return log(one.event, { error: one.error.message });
      case 'journal.write_recovered':
        telemetry?.health.noteJournal(undefined);
        return log(one.event);
      case 'metadata.unavailable':
        telemetry?.noteMetadata(one.error);
        return log(one.event, { metadata, error: one.error.message });
      case 'metadata.available':
        telemetry?.noteMetadata(undefined);
        return log(one.event, { metadata });
      case 'journal.segment_unreadable':
        return log(one.event, { error: one.error.message });
      case 'journal.upkeep_failed':
        return upkeepFailed(one.error);
      case 'run.state_write_failed':
        return stateWriteFailed(one.error);
    }
  };
}
