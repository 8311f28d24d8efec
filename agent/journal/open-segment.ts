import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { KEYS } from '../../record/fields.ts';
import { readBootId } from '../../record/ids.ts';
import { openSegment } from './folder.ts';
import { readSegment } from './read.ts';
import { listSegments, type Position, segmentFile } from './segment.ts';
import { cutTornTail } from './torn-tail.ts';

const NANOS_PER_MS = 1e6;

/** The segment that is being written. */
export interface OpenSegment {
  readonly number: number;
  readonly handle: FileHandle;
  /** The file at that time, to notice later if another file has its name. */
  readonly file: Stats;
  /** bytes of whole lines */
  size: number;
  /** Its first record's time on the boot clock, in milliseconds; -Infinity: in an earlier boot. */
  readonly begunAt: number;
}

/**
 * Opens the newest segment to append to it; if it is compressed, or there is none, makes the next.
 * `now` is the time on the boot clock, and `tornBytes` the length of a torn last line, which is cut.
 */
export async function openNewest(
  dir: string,
  now: number,
): Promise<OpenSegment & { readonly tornBytes: number }> {
  const newest = (await listSegments(dir)).at(-1);
  const reopen = newest !== undefined && !newest.compressed;
  const number = reopen ? newest.number : (newest?.number ?? 0) + 1;
  const opened = await openSegment(segmentFile(dir, { number, compressed: false }));
  const { handle, stat: file } = opened;
  const tornBytes = await cutTornTail(handle);
  const size = file.size - tornBytes;
  const begunAt = (await beginOf(dir, number)) ?? now;
  return { number, handle, file, size, begunAt, tornBytes };
}

/** Makes and opens the segment that follows the open one; `now` is the time on the boot clock. */
export async function openNext(
  dir: string,
  { number: last }: OpenSegment,
  now: number,
): Promise<OpenSegment> {
  const number = last + 1;
  const opened = await openSegment(segmentFile(dir, { number, compressed: false }));
  const { handle, stat: file } = opened;
  return { number, handle, file, size: file.size, begunAt: now };
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

/** Returns when a segment began (see OpenSegment); undefined: no line says so. */
async function beginOf(dir: string, number: number): Promise<number | undefined> {
  try {
    for await (const { line } of readSegment(dir, { number, compressed: false }, 0))
      return bootMsIn(line);
  } catch {} // the disk does not give it back, and may still take lines
  return undefined;
}

function bootMsIn(line: string): number | undefined {
  try {
    const { [KEYS.bootId]: bootId, [KEYS.bootTime]: nanoseconds } = JSON.parse(line).attributes;
    if (bootId !== readBootId()) return Number.NEGATIVE_INFINITY;
    const ms = Number(nanoseconds) / NANOS_PER_MS;
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined; // it is damaged
  }
}
