import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Members } from '../../kube/json-shape.ts';
import { JsonSieve } from '../../kube/json-sieve.ts';

/**
 * The environment of a pod's container is in its configuration: 1.5 MB at most, and six bytes for a
 * character that JSON escapes.
 */
const MAX_BYTES = 16 << 20;
const PIECE = Buffer.alloc(64 << 10);

/**
 * Reads these parts of a runtime's JSON file; undefined where it is missing, damaged, too large or
 * not a file. It follows no link, and does not block on a pipe in place of the file.
 */
export function readJson(file: string, shape: Members): unknown {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_BYTES ? read(fd, shape) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function read(fd: number, shape: Members): unknown {
  const sieve = new JsonSieve(shape);
  for (;;) {
    const length = readSync(fd, PIECE);
    if (length === 0) return sieve.end()?.value;
    sieve.write(PIECE.subarray(0, length));
  }
}
