import type { FileHandle } from 'node:fs/promises';
import { lastLineEnd } from '../files.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Cuts what follows the last whole line of a file that is open for reading and writing; everything
 * after a hole is cut, too. Returns the number of bytes that were cut.
 */
export async function cutTornTail(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const end = await lastLineEnd(file, await firstHole(file, size));
  if (end < size) await file.truncate(end);
  return size - end;
}

/**
 * Finds bytes that were not on disk yet when the power was cut, although later ones were. They read
 * as zeros, which no line contains. Returns their offset; `size` if there are none.
 */
async function firstHole(file: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let start = 0; start < size; ) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, start);
    const at = chunk.subarray(0, bytesRead).indexOf(0);
    if (at >= 0) return start + at;
    if (bytesRead === 0) break;
    start += bytesRead;
  }
  return size;
}
