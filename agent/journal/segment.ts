import { readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasGap, LISTS_MAX } from '../../record/segment-gap.ts';

/** A place between two lines: the segment's number, and the offset in its uncompressed text. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** A file of the journal: `<20-digit n>.jsonl`, or, once closed and compressed, `.jsonl.zst`. */
export interface Segment {
  readonly number: number;
  readonly compressed: boolean;
}

const NAME = /^(\d{20})\.jsonl(\.zst)?$/;

/** Returns the path of a segment's file. */
export function segmentFile(dir: string, { number, compressed }: Segment): string {
  const name = `${String(number).padStart(20, '0')}.jsonl`;
  return join(dir, compressed ? `${name}.zst` : name);
}

/** Returns the path of the index of a compressed segment (record/index/), which may be absent. */
export function indexFile(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(20, '0')}.index`);
}

/** Returns the bytes that a segment takes on disk, with its index; 0 if it is deleted by now. */
export async function segmentBytes(dir: string, segment: Segment): Promise<number> {
  const bytes = await fileBytes(segmentFile(dir, segment));
  return segment.compressed ? bytes + (await fileBytes(indexFile(dir, segment.number))) : bytes;
}

async function fileBytes(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return 0;
  }
}

/** Returns the same. While an agent records, nothing may wait for the disk in its thread. */
export function segmentBytesSync(dir: string, segment: Segment): number {
  const bytes = fileBytesSync(segmentFile(dir, segment));
  return segment.compressed ? bytes + fileBytesSync(indexFile(dir, segment.number)) : bytes;
}

function fileBytesSync(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Lists the segments of a folder, the oldest first. One that has both forms comes once, as
 * compressed.
 */
export async function listSegments(dir: string): Promise<Segment[]> {
  let segments = segmentsAmong(await readdir(dir));
  for (let lists = 1; lists < LISTS_MAX && mayMissOne(segments); lists += 1)
    segments = segmentsAmong(await readdir(dir), segments);
  return segments;
}

/** Lists the same; see segmentBytesSync(). */
export function listSegmentsSync(dir: string): Segment[] {
  let segments = segmentsAmong(readdirSync(dir));
  for (let lists = 1; lists < LISTS_MAX && mayMissOne(segments); lists += 1)
    segments = segmentsAmong(readdirSync(dir), segments);
  return segments;
}

function mayMissOne(segments: readonly Segment[]): boolean {
  return hasGap(segments.map(({ number }) => number));
}

/** `others` were listed before; those that are not listed now are kept. */
function segmentsAmong(names: readonly string[], others: readonly Segment[] = []): Segment[] {
  const byNumber = new Map<number, Segment>();
  for (const name of names) {
    const match = NAME.exec(name);
    const number = Number(match?.[1]);
    if (match === null || !Number.isSafeInteger(number)) continue;
    const compressed = match[2] !== undefined;
    if (compressed || !byNumber.has(number)) byNumber.set(number, { number, compressed });
  }
  for (const other of others) if (!byNumber.has(other.number)) byNumber.set(other.number, other);
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/**
 * Returns the position before the first line that is not deleted; undefined for an empty journal.
 */
export async function oldestPosition(dir: string): Promise<Position | undefined> {
  const [oldest] = await listSegments(dir);
  return oldest && { segment: oldest.number, offset: 0 };
}
