import type { Config } from '../config/schema.ts';
import { writeState } from '../journal/state.ts';
import type { HookStatistics } from '../source/hook.ts';
import type { Checkpoint } from './resume.ts';
import type { Session } from './session.ts';

const WRITE_EVERY_MS = 2000;

/** What state.json says: the checkpoint for the next run, and what `status` shows. */
export interface State extends Checkpoint {
  readonly version: 1;
  /** RFC 3339 */
  readonly updatedAt: string;
  readonly pid: number;
  readonly nodeName: string;
  /** as in journal.start and journal.stop */
  readonly hookState: string;
  readonly records: number;
  readonly gaps: Readonly<Record<string, number>>;
  /** records that are lost, as far as their number is known */
  readonly lost: number;
  readonly ring: { readonly bytes: number; readonly usedBytes: number };
  readonly table: { readonly entries: number; readonly max: number };
}

export interface StateWriter {
  /** Records what the kernel has skipped since the last time. */
  tellMisses(): void;
  /** Writes state.json, at most every two seconds, or at once if `hookState` says that it is over. */
  write(hookState?: 'kept' | 'detached'): void;
  /** From now on it is written only at once. */
  close(): void;
}

/**
 * Keeps state.json up to date, and records what the kernel skipped. `onProblem` hears when it cannot
 * be written, which ends nothing: an older one only means that the next run reads more.
 */
export function createStateWriter(
  config: Config,
  session: Session,
  onProblem: (error: Error) => void,
): StateWriter {
  const { hook, recorder } = session;
  let last = 0;
  let later: NodeJS.Timeout | undefined;
  let missed = session.kernelMisses;
  function tellMisses(): void {
    const count = missesOf(hook.statistics()) - missed;
    missed += count;
    if (count > 0) recorder.lose({ stage: 'kernel', hookId: session.hookId, count });
  }
  function writeNow(hookState?: 'kept' | 'detached'): void {
    clearTimeout(later);
    later = undefined;
    last = performance.now();
    try {
      writeState(config.journalDir, stateOf(config, session, missed, hookState));
    } catch (error) {
      onProblem(error as Error);
    }
  }
  // Awake it is called again soon; then there may also be lines that the journal has not taken yet.
  function writeAsleep(): void {
    later = undefined;
    if (!recorder.isAwake) writeNow();
  }
  return {
    tellMisses,
    write(hookState) {
      const wait = hookState === undefined ? last + WRITE_EVERY_MS - performance.now() : 0;
      if (wait > 0) {
        later ??= setTimeout(writeAsleep, wait).unref();
        return;
      }
      writeNow(hookState);
      // Only what is on disk counts as told: these are by the next time.
      if (hookState === undefined) tellMisses();
    },
    close: () => clearTimeout(later),
  };
}

/** Execs that the kernel did not let our program see. */
function missesOf(statistics: HookStatistics): number {
  return statistics.programs.find(({ name }) => name === 'on_exec')?.recursionMisses ?? 0;
}

function stateOf(
  config: Config,
  session: Session,
  kernelMisses: number,
  hookState: 'kept' | 'detached' | undefined,
): State {
  const { hook, journal, lineage, nextSeq } = session;
  const statistics = hook.statistics();
  return {
    version: 1,
    updatedAt: new Date().toISOString(),
    pid: process.pid,
    nodeName: config.nodeName,
    bootId: session.bootId,
    hookId: session.hookId,
    hookState: hookState ?? hook.state,
    detached: hookState === 'detached',
    position: journal.position,
    nextSeq: Array.from(nextSeq),
    losses: lineage.losses,
    records: lineage.counts.records,
    gaps: lineage.counts.gaps,
    lost: lineage.counts.lost,
    kernelMisses,
    started: session.enricher.started,
    ring: { bytes: statistics.ringBytes, usedBytes: statistics.usedBytes },
    table: { entries: statistics.tableEntries, max: statistics.tableMax },
  };
}
