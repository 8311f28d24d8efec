import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

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
export function segmentBytes(dir: string, segment: Segment): number {
  const bytes = fileBytes(segmentFile(dir, segment));
  return segment.compressed ? bytes + fileBytes(indexFile(dir, segment.number)) : bytes;
}

function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Lists the segments of a folder, the oldest first. One that has both forms comes once, as
 * compressed.
 */
export function listSegments(dir: string): Segment[] {
  const byNumber = new Map<number, Segment>();
  for (const name of readdirSync(dir)) {
    const match = NAME.exec(name);
    const number = Number(match?.[1]);
    if (match === null || !Number.isSafeInteger(number)) continue;
    const compressed = match[2] !== undefined;
    if (compressed || !byNumber.has(number)) byNumber.set(number, { number, compressed });
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/**
 * Returns the position before the first line that is not deleted; undefined for an empty journal.
 */
export function oldestPosition(dir: string): Position | undefined {
  const oldest = listSegments(dir)[0];
  return oldest && { segment: oldest.number, offset: 0 };
}
