import { fstatSync, ftruncateSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Cuts what follows the last line feed of a file opened for reading and writing; returns its bytes. */
export function cutTornTail(fd: number): number {
  const { size } = fstatSync(fd);
  const end = lastLineEnd(fd, size);
  if (end < size) ftruncateSync(fd, end);
  return size - end;
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
