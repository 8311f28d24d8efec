import { nanosecondsOf } from '../../../record/types.ts';
import type { Config } from '../../config/schema.ts';
import type { Report } from '../report.ts';
import type { Checkpoint } from '../resume/checkpoint.ts';
import { DurableCheckpoint, type WrittenState } from './durable-checkpoint.ts';
import { NewestCheckpoint } from './newest-checkpoint.ts';
import type { PinKeeper } from './pin-keeper.ts';
import type { Session } from './session.ts';

const WRITE_EVERY_MS = 2000;
/** Seldom enough to cost nothing, and often enough for a burst to leave no memory in use. */
const RELEASE_EVERY_MS = 30_000;

/** The content of state.json: the checkpoint for the next run, and what `status` shows. */
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

/** Keeps state.json up to date: at most every two seconds, and at every rotation of the journal. */
export interface CheckpointWriter {
  /** Notes that there is something to write. Returns true if the state of now will be written. */
  note(): boolean;
  /** Begins a time without records: a noted checkpoint is written once two seconds have passed. */
  resume(): void;
  /** Ends that time: the next note() writes. */
  pause(): void;
  /** Writes the last state of a session; resolves when it is written. */
  end(hookState: 'kept' | 'detached'): Promise<void>;
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

/**
 * Creates the writer of a session's checkpoints. It reports a failure, and recording continues:
 * with an older checkpoint the next run only has more to read. With each checkpoint `pins` looks for
 * changes, and now and then free memory is given back.
 */
export function createCheckpointWriter(
  config: Config,
  session: Session,
  report: Report,
  pins?: PinKeeper,
): CheckpointWriter {
  const { journal } = session;
  let writtenAt = 0;
  let releasedAt = Number.NEGATIVE_INFINITY;
  let last: WrittenState | undefined;
  let isNoted = false;
  let timer: NodeJS.Timeout | undefined;
  const newest = new NewestCheckpoint(config.journalDir, report);
  const durable = new DurableCheckpoint(config.journalDir, report);
  const dueMs = () => writtenAt + WRITE_EVERY_MS - performance.now();
  /** Without it, the next run would have to read a closed segment back. */
  const isRotated = () => last !== undefined && last.position.segment < journal.position.segment;
  function write(hookState?: 'kept' | 'detached'): void {
    isNoted = false;
    writtenAt = performance.now();
    pins?.look();
    session.lossLimit.look();
    releaseMemory();
    const state = stateOf(config, session, hookState);
    const written = { text: JSON.stringify(state), position: state.position };
    if (last === undefined) durable.offer(written);
    else if (isRotated()) durable.offer(last);
    last = written;
    newest.write(written.text);
  }
  function releaseMemory(): void {
    if (performance.now() - releasedAt < RELEASE_EVERY_MS) return;
    releasedAt = performance.now();
    // V8 by itself lets garbage grow to a third of the agent's memory before it looks for all of it.
    globalThis.gc?.();
    session.hook.releaseMemory();
  }
  return {
    note() {
      isNoted = true;
      durable.write(journal.durable);
      if (dueMs() > 0 && !isRotated()) return false;
      write();
      return true;
    },
    resume() {
      if (isNoted) timer = setTimeout(() => write(), dueMs()).unref();
    },
    pause: () => clearTimeout(timer),
    end(hookState) {
      write(hookState);
      return newest.close();
    },
    async close() {
      await newest.close();
      await durable.close();
    },
  };
}

function stateOf(
  config: Config,
  session: Session,
  hookState: 'kept' | 'detached' | undefined,
): State {
  const { hook, journal, recorder, lineage, nextSeq } = session;
  const statistics = hook.statistics();
  // An open hook holds its programs, so that all of them are attached.
  const [seconds = 0, nanos = 0] = hook.clock;
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
    attachedAt: nanosecondsOf({ seconds, nanos }),
    nextSeq: Array.from(nextSeq),
    losses: lineage.losses,
    partlyLost: lineage.losses.partly,
    records: lineage.counts.records,
    gaps: lineage.counts.gaps,
    lost: lineage.counts.lost,
    kernelMisses: recorder.kernelMisses,
    started: session.enricher.started,
    ring: { bytes: statistics.ringBytes, usedBytes: statistics.usedBytes },
    table: { entries: statistics.tableEntries, max: statistics.tableMax },
  };
}
