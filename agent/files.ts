import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

const CHUNK_BYTES = 256 << 10;
const LINE_FEED = 0x0a;

/** Whether the new text must survive a power cut. */
export interface Replacement {
  readonly durable: boolean;
}

/** Returns the text of a file; undefined: it cannot be read. */
export function textIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Returns the name of the file to which a new text is written first. */
export function asideOf(file: string): string {
  return `${file}.tmp`;
}

/**
 * Replaces a file as a whole: readers see the old content or the new one. Only the owner may read it.
 * If it is durable, the content is synced before the file gets its name, and the name before this
 * resolves.
 */
export async function replaceFile(
  file: string,
  content: string | Buffer,
  { durable }: Replacement,
): Promise<void> {
  const aside = asideOf(file);
  await writeNewFile(aside, content, { durable });
  try {
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  if (durable) await syncFolder(dirname(file));
}

/**
 * Writes a file that only the owner may read, and removes one that has its name before. If that fails,
 * there is none. If it is durable, its content is synced, but not its name.
 */
export async function writeNewFile(
  file: string,
  content: string | Buffer,
  { durable }: Replacement,
): Promise<void> {
  await rm(file, { force: true });
  try {
    // Another file that has this name by now is not written to.
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/**
 * Returns the text of a plain file. Throws if it is anything else, such as a symbolic link or a
 * FIFO.
 */
export function readPlainFile(file: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // A FIFO in its place must not hold up the open.
  const fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${basename(file)} is not a plain file`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Makes durable that files of a folder were created, renamed or removed. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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
