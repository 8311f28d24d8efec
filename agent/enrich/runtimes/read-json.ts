import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Much more than a configuration needs, which contains the environment of the container's process.
 */
const MAX_BYTES = 4 << 20;

/**
 * Reads a JSON file of a runtime; undefined where it is missing, damaged, too large or not a file.
 */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Follows no link, and does not block on a pipe in place of the file. */
function readText(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) return undefined;
    const buffer = Buffer.allocUnsafe(stat.size);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, stat.size, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
