import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Members } from '../../kube/json-shape.ts';
import { JsonSieve } from '../../kube/json-sieve.ts';

/**
 * The environment of a pod's container is in its configuration: 1.5 MB at most, and six bytes for a
 * character that JSON escapes.
 */
const MAX_BYTES = 16 << 20;
const PIECE_BYTES = 64 << 10;
/** No link is followed, and a pipe in place of the file does not block. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_MAX_BYTES = 256 << 10;

/**
 * Reads these parts of a runtime's JSON file; undefined where it is missing, damaged, too large or
 * not a file.
 */
export async function readJson(file: string, shape: Members): Promise<unknown> {
  try {
    const handle = await open(file, FLAGS);
    try {
      const stat = await handle.stat();
      return stat.isFile() && stat.size <= MAX_BYTES
        ? await read(handle, Math.min(stat.size + 1, PIECE_BYTES), shape)
        : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

/**
 * Reads these parts at once, of a file that was just made and may be gone in a moment. It is still in
 * the kernel's memory: reading it does not wait for a disk. Undefined also for a large file, which takes
 * long.
 */
export function readNewJson(file: string, shape: Members): unknown {
  let fd: number | undefined;
  try {
    // A time of access would have to be written to the disk.
    fd = openSync(file, FLAGS | constants.O_NOATIME);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > NEW_MAX_BYTES) return undefined;
    const sieve = new JsonSieve(shape);
    const whole = Buffer.allocUnsafe(stat.size);
    sieve.write(whole.subarray(0, readSync(fd, whole)));
    return sieve.end()?.value;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function read(handle: FileHandle, pieceBytes: number, shape: Members): Promise<unknown> {
  const sieve = new JsonSieve(shape);
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes);
    if (bytesRead === 0) return sieve.end()?.value;
    sieve.write(piece.subarray(0, bytesRead));
  }
}
