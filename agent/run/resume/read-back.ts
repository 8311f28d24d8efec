import type { Position } from '../../journal/segment.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Continuity } from './continuity.ts';
import { type LiveHook, type Reading, readHook } from './read-hook.ts';

const END: Position = { segment: Number.POSITIVE_INFINITY, offset: 0 };

/**
 * Reads what a journal says about the hook that wrote it last, and about the hooks before it whose
 * ends are not recorded. A run records them right behind its first journal.start. If it was killed
 * between these lines, the hook has no other line, and the hook before it is read as well. A segment
 * or a line that cannot be read is passed to `onUnreadable`, and skipped.
 */
export async function readBack(
  dir: string,
  checkpoint: Checkpoint | undefined,
  live: LiveHook,
  onUnreadable: (error: Error) => void,
): Promise<Continuity> {
  const reading = { dir, checkpoint, live, onUnreadable, isExact: false, found: new Map() };
  const known = await readUpTo(reading, END);
  if (!known.isDamaged || known.hookId !== live.hookId) return known;
  // Which numbers are not there shows only if all of them are read.
  return readUpTo({ ...reading, onUnreadable() {}, isExact: true, found: new Map() }, END);
}

async function readUpTo(reading: Reading, end: Position): Promise<Continuity> {
  const { known, ended, begin } = await readHook(reading, end);
  if (begin === undefined) return known;
  const former = await readUpTo(reading, begin);
  known.before = [...former.before, former].filter(
    ({ bootId, hookId, detached }) =>
      bootId !== undefined &&
      hookId !== undefined &&
      !detached &&
      !ended.has(bootId) &&
      !ended.has(hookId),
  );
  return known;
}
