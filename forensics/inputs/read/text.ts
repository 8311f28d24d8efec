import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { Decompressor } from './decompressor.ts';
import { type Damage, FileWindow } from './file-window.ts';
import { readSoundZstd, readZstd } from './zstd.ts';
import { isZstd } from './zstd-frame.ts';

/** How the text of a file is stored. */
export type Form = 'plain' | 'zstd' | 'gzip';

const CHUNK_BYTES = 1 << 20;
/** A damaged archive loses at most the text of so many bytes before the damage. */
const GZIP_BYTES = 16 << 10;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Says how a file is stored: as its name says, because then anything else in it is damaged, or else
 * as its first bytes say.
 */
export function formOf(path: string, head: Buffer): Form {
  if (path.endsWith('.zst') || isZstd(head)) return 'zstd';
  if (path.endsWith('.gz')) return 'gzip';
  return head.subarray(0, 2).equals(GZIP_MAGIC) ? 'gzip' : 'plain';
}

/** Yields the text of a file from an offset on, and a damage in the place of what is missing. */
export async function* readText(path: string, from = 0): AsyncGenerator<Buffer | Damage> {
  const file = await open(path);
  try {
    const form = formOf(path, await headOf(file));
    if (form === 'plain') yield* readPlain(file, from);
    else if (from > 0) throw new RangeError('compressed text has no offsets');
    else yield* form === 'zstd' ? readZstd(file) : readGzip(file);
  } finally {
    await file.close();
  }
}

/**
 * Yields the text of a file; throws if it is damaged. A part is valid until the next one is asked for.
 */
export async function* readSoundText(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const form = formOf(path, await headOf(file));
    if (form === 'gzip') throw new Error('not read in this way');
    yield* form === 'plain' ? readPlain(file, 0) : readSoundZstd(file);
  } finally {
    await file.close();
  }
}

/** Reads the bytes that formOf() needs. */
export async function headOf(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(4);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
}

async function* readPlain(file: FileHandle, from: number): AsyncGenerator<Buffer> {
  for (let at = from; ; ) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Reads all members of a gzip file (RFC 1952). */
async function* readGzip(file: FileHandle): AsyncGenerator<Buffer | Damage> {
  const window = new FileWindow(file);
  const stream = createGunzip();
  const gzip = new Decompressor(stream);
  let at = 0;
  try {
    for (;;) {
      const piece = await window.bytes(at, GZIP_BYTES);
      if (piece.length === 0) break;
      yield* await gzip.feed(piece);
      at += piece.length;
      if (gzip.hasEnded) break;
    }
    yield* await gzip.finish();
    const { size } = await file.stat();
    if (stream.bytesWritten < size)
      yield { at: stream.bytesWritten, why: 'what follows is no gzip member' };
  } catch (error) {
    yield { at, why: (error as Error).message };
  } finally {
    gzip.close();
  }
}
