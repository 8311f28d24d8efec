import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { openSegment } from './folder.ts';
import { listSegments, type Position, segmentFile } from './segment.ts';
import { cutTornTail } from './torn-tail.ts';

/** The segment that is being written. */
export interface OpenSegment {
  readonly number: number;
  readonly handle: FileHandle;
  /** The file at that time, to notice later if another file has its name. */
  readonly file: Stats;
  /** bytes of whole lines */
  size: number;
  /** The time by `performance.now()`, which no step of the wall clock moves. */
  readonly openedAt: number;
}

/**
 * Opens the newest segment to append to it; if it is compressed, or there is none, makes the next.
 * `tornBytes` is the length of a torn last line, which is cut.
 */
export async function openNewest(
  dir: string,
): Promise<OpenSegment & { readonly tornBytes: number }> {
  const newest = listSegments(dir).at(-1);
  const reopen = newest !== undefined && !newest.compressed;
  const number = reopen ? newest.number : (newest?.number ?? 0) + 1;
  const opened = await openSegment(segmentFile(dir, { number, compressed: false }));
  const { handle, stat: file } = opened;
  const tornBytes = await cutTornTail(handle);
  const size = file.size - tornBytes;
  // Only the file knows when an earlier run began it, and only by the wall clock.
  const ageMs = size === 0 ? 0 : Math.max(0, Date.now() - file.birthtimeMs);
  const openedAt = performance.now() - ageMs;
  return { number, handle, file, size, openedAt, tornBytes };
}

/** Makes and opens the segment that follows the open one. */
export async function openNext(dir: string, { number: last }: OpenSegment): Promise<OpenSegment> {
  const number = last + 1;
  const opened = await openSegment(segmentFile(dir, { number, compressed: false }));
  const { handle, stat: file } = opened;
  return { number, handle, file, size: file.size, openedAt: performance.now() };
}

/** Returns the position after the last whole line. */
export function endOf({ number, size }: OpenSegment): Position {
  return { segment: number, offset: size };
}

/** Whether the segment still has its name. */
export function isThere(dir: string, { number, file }: OpenSegment): Promise<boolean> {
  return isSameFile(segmentFile(dir, { number, compressed: false }), file);
}

/** Whether a name still refers to the file or folder with these statistics. */
export async function isSameFile(path: string, { ino, dev }: Stats): Promise<boolean> {
  try {
    const there = await stat(path);
    return there.ino === ino && there.dev === dev;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
