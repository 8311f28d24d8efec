import { chmodSync, writeFileSync } from 'node:fs';
import { ForensicsError } from '../errors.ts';

/** Writes a file that only its owner can read, or throws an error that names it. */
export function writeOwnFile(path: string, text: string | Uint8Array): void {
  writing(path, () => {
    writeFileSync(path, text, { mode: 0o600 });
    // A file that was there keeps its mode otherwise.
    chmodSync(path, 0o600);
  });
}

/** Runs what writes to a path; what the system refuses is an error that names the path. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw notWritten(path, error as Error);
  }
}

/** The error that something cannot be written, with the reason of the system. */
export function notWritten(what: string, cause: Error): ForensicsError {
  return new ForensicsError('unwritable', `${what} cannot be written: ${cause.message}`, { cause });
}
