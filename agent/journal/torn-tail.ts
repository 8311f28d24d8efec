import { fstatSync, ftruncateSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/**
 * Cuts what follows the last whole line of a file opened for reading and writing, and with it all
 * that lies behind a hole; returns its bytes.
 */
export function cutTornTail(fd: number): number {
  const { size } = fstatSync(fd);
  const end = lastLineEnd(fd, firstHole(fd, size));
  if (end < size) ftruncateSync(fd, end);
  return size - end;
}

/**
 * Where a power cut left bytes that had not come to the disk yet, though some behind them had: they
 * read as zeros, which no line has. `size` when there are none.
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

/** The offset behind the last line feed before `size`; 0 when there is none. */
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
