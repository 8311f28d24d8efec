import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

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

/** Returns the offset after the last line feed before `size`; 0 if there is none. */
export async function lastLineEnd(file: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
