import { readBootId } from '../../record/ids.ts';
import type { Config } from '../config/schema.ts';
import { readCursor } from '../export/read/cursor.ts';
import { journalHolder } from '../journal/lock.ts';
import { listSegmentsSync, segmentBytesSync } from '../journal/segment.ts';
import { readState } from '../journal/state.ts';
import { checkpointKey } from '../run/checkpoint-key.ts';
import type { State } from '../run/session/checkpoint.ts';
import { type Pins, readPins } from './pins.ts';

/** The output of `status --output json`; `state` is state.json as the last agent left it. */
export interface Status {
  /** Whether an agent writes this journal. */
  readonly running: boolean;
  /** its process */
  readonly pid: number | null;
  /** Whether the whole hook is pinned, so that the kernel records; null: the folder cannot be read. */
  readonly pinned: boolean | null;
  readonly pinDir: string;
  readonly pins: Pins;
  readonly journalDir: string;
  /** null: the folder cannot be read */
  readonly segments: number | null;
  readonly journalBytes: number | null;
  readonly bootId: string;
  readonly state: Partial<State> | null;
  /** What is not exported yet; null if this journal was never exported. */
  readonly export: Waiting | null;
  /** The key with which others verify the signatures of checkpoints (C2SP), if a file has one. */
  readonly checkpointVerifierKey: string | null;
  /** why there is no state, or no journal */
  readonly why?: string;
}

/** The reason if the folder of the journal does not exist. */
export const NO_FOLDER = 'there is no such folder';

/** The part of a journal that waits for its export. */
export interface Waiting {
  readonly segment: number;
  readonly offset: number;
  /** on disk; of a compressed segment that is exported in part, all of it */
  readonly bytes: number;
}

/** Reads journal, lock and pins; changes and locks nothing. */
export function statusOf(config: Config): Status {
  const { journalDir, pinDir } = config;
  const { state, why: noState } = readState(journalDir);
  const { sizes, why: noJournal } = segmentSizes(journalDir);
  const pid = journalHolder(journalDir) ?? null;
  const pins = readPins(pinDir);
  const why = noJournal ?? noState;
  return {
    running: pid !== null,
    pid,
    pinned: pins.why === undefined ? pins.complete : null,
    pinDir,
    pins,
    journalDir,
    segments: sizes?.length ?? null,
    journalBytes: sizes?.reduce((sum, bytes) => sum + bytes, 0) ?? null,
    bootId: readBootId(),
    state: isObject(state) ? state : null,
    export: sizes === undefined ? null : waitingIn(journalDir),
    checkpointVerifierKey: keyOf(config),
    ...(why !== undefined && { why }),
  };
}

/** A file that cannot be read is refused when the agent starts. */
function keyOf(config: Config): string | null {
  try {
    return checkpointKey(config, () => {})?.publicKey() ?? null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function waitingIn(dir: string): Waiting | null {
  const cursor = readCursor(dir);
  if (cursor === undefined) return null;
  let bytes = 0;
  for (const segment of listSegmentsSync(dir)) {
    if (segment.number < cursor.segment) continue;
    const size = segmentBytesSync(dir, segment);
    const isPart = segment.number === cursor.segment && !segment.compressed;
    bytes += isPart ? Math.max(0, size - cursor.offset) : size;
  }
  return { ...cursor, bytes };
}

function segmentSizes(dir: string): { sizes?: number[]; why?: string } {
  try {
    const sizes = listSegmentsSync(dir).map((segment) => segmentBytesSync(dir, segment));
    return { sizes };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { why: code === 'ENOENT' ? NO_FOLDER : `unknown: ${message}` };
  }
}
