import { open, rename, rm, stat } from 'node:fs/promises';
import { encodeIndex, type SegmentIndex } from '../../../record/index/segment-index.ts';
import type { SegmentNotes } from '../../../record/index/segment-notes.ts';
import { replaceFile, syncFolder } from '../../files.ts';
import { indexFile, segmentFile } from '../segment.ts';
import { type Compression, compressFrames } from './frames.ts';

/**
 * Compresses a closed segment into another file, syncs that, writes the index beside it, renames it,
 * and then removes the plain file: at every moment one complete form of the segment exists, and no
 * compressed form without its index. With what was noted when it was written, the index costs little.
 */
export async function compressSegment(
  dir: string,
  number: number,
  level: number,
  signal: AbortSignal,
  notes?: SegmentNotes,
): Promise<void> {
  const plain = segmentFile(dir, { number, compressed: false });
  const target = segmentFile(dir, { number, compressed: true });
  const aside = `${target}.tmp`;
  try {
    const index = await compressInto(aside, plain, { level, signal, notes });
    await replaceFile(indexFile(dir, number), encodeIndex(index), { durable: true });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { force: true });
    await rm(indexFile(dir, number), { force: true });
    throw error;
  }
  await syncFolder(dir);
  await rm(plain);
}

async function compressInto(
  aside: string,
  plain: string,
  options: Pick<Compression, 'level' | 'signal' | 'notes'>,
): Promise<SegmentIndex> {
  const { size } = await stat(plain);
  const from = await open(plain);
  try {
    const to = await open(aside, 'wx', 0o600);
    try {
      const index = await compressFrames({ from, to, size, ...options });
      await to.sync();
      return index;
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
