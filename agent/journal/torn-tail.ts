import { fstatSync, ftruncateSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/**
 * Cuts what follows the last whole line of a file that is open for reading and writing; everything
 * after a hole is cut, too. Returns the number of bytes that were cut.
 */
export function cutTornTail(fd: number): number {
  const { size } = fstatSync(fd);
  const end = lastLineEnd(fd, firstHole(fd, size));
  if (end < size) ftruncateSync(fd, end);
  return size - end;
}

/**
 * Finds bytes that were not on disk yet when the power was cut, although later ones were. They read
 * as zeros, which no line contains. Returns their offset; `size` if there are none.
 */
function firstHole(fd: number, size: number): number {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let start = 0; start < size; ) {
    const read = readSync(fd, chunk, 0, CHUNK_BYTES, start);
    const at = chunk.subarray(0, read).indexOf(0);
    if (at >= 0) return start + at;
    if (read === 0) break;
    start += read;
  }
  return size;
}

/** Returns the offset after the last line feed before `size`; 0 if there is none. */
export function lastLineEnd(fd: number, size: number): number {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const read = readSync(fd, chunk, 0, end - start, start);
    const at = chunk.subarray(0, read).lastIndexOf(LINE_FEED);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
