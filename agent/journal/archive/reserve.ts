import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder, writeNewFile } from '../../files.ts';

/** More than a note of deletions takes: about 100 bytes for each CPU. */
const BYTES = 128 << 10;
const { O_WRONLY, O_NOFOLLOW } = constants;

/**
 * Makes a file of spaces beside a file, unless it is there: replaceInReserve() needs no room then.
 */
export async function reserveRoom(file: string): Promise<void> {
  const reserve = reserveOf(file);
  if (await isWhole(reserve)) return;
  // The kernel may find only at the sync that there is no room.
  await writeNewFile(reserve, Buffer.alloc(BYTES, ' '), { durable: true });
}

/** Makes the reserve of another file of the folder, which is gone then. */
export async function reserveInstead(file: string, other: string): Promise<void> {
  await rename(other, reserveOf(file));
}

/**
 * Replaces a file as a whole, durably, on a disk without room: overwrites the reserve in place, which
 * gets the file's name. Spaces follow the text. The reserve is gone then.
 */
export async function replaceInReserve(file: string, text: string): Promise<void> {
  const reserve = reserveOf(file);
  const handle = await open(reserve, O_WRONLY | O_NOFOLLOW);
  try {
    const { size } = await handle.stat();
    if (Buffer.byteLength(text) > size) throw new Error(`${reserve} is too small`);
    const bytes = Buffer.alloc(size, ' ');
    bytes.write(text);
    await overwrite(handle, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(reserve, file);
  await syncFolder(dirname(file));
}

async function isWhole(reserve: string): Promise<boolean> {
  try {
    const there = await lstat(reserve);
    return there.isFile() && there.size === BYTES;
  } catch {
    return false; // a new one is made
  }
}

function reserveOf(file: string): string {
  return `${file}.reserve`;
}

async function overwrite(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, at);
    at += bytesWritten;
  }
}
