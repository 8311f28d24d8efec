import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Members } from '../../kube/json-shape.ts';
import { JsonSieve } from '../../kube/json-sieve.ts';

/**
 * The environment of a pod's container is in its configuration: 1.5 MB at most, and six bytes for a
 * character that JSON escapes.
 */
const MAX_BYTES = 16 << 20;
const PIECE_BYTES = 64 << 10;

/**
 * Reads these parts of a runtime's JSON file; undefined where it is missing, damaged, too large or
 * not a file. It follows no link, and does not block on a pipe in place of the file.
 */
export async function readJson(file: string, shape: Members): Promise<unknown> {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
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

async function read(handle: FileHandle, pieceBytes: number, shape: Members): Promise<unknown> {
  const sieve = new JsonSieve(shape);
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes);
    if (bytesRead === 0) return sieve.end()?.value;
    sieve.write(piece.subarray(0, bytesRead));
  }
}
