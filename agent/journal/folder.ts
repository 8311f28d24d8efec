import {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AgentError } from '../errors.ts';

const OTHERS_WRITE = 0o022;

/**
 * Makes the journal's folder, 0700. Throws an error of the registry if an existing one cannot be
 * trusted.
 */
export function prepareFolder(dir: string): void {
  try {
    makeFolders(resolve(dir));
    checkFolder(dir);
  } catch (error) {
    throw orUnusable(dir, error);
  }
}

function checkFolder(dir: string): void {
  // A slash at the end would make lstat follow a link.
  const stat = lstatSync(resolve(dir));
  if (stat.isSymbolicLink())
    throw new AgentError('JOURNAL_IS_LINK', { path: dir, target: realpathSync(dir) });
  if (!stat.isDirectory()) throw new AgentError('JOURNAL_NOT_A_FOLDER', { path: dir });
  if (stat.uid !== process.getuid?.())
    throw new AgentError('JOURNAL_OWNED_BY_OTHER', { path: dir, uid: stat.uid });
  if ((stat.mode & OTHERS_WRITE) !== 0)
    throw new AgentError('JOURNAL_WRITABLE_BY_OTHERS', { path: dir });
  // The kubelet, for example, creates it with an ordinary umask. The mode of a folder with content
  // is its owner's decision.
  if (readdirSync(dir).length === 0) chmodSync(dir, 0o700);
}

/**
 * Makes a folder and its parents one by one: Node's own way fails with ENOENT on a read-only file
 * system.
 */
function makeFolders(dir: string): void {
  if (existsSync(dir)) return;
  makeFolders(dirname(dir));
  mkdirSync(dir, { mode: 0o700 });
}

/**
 * Opens a segment for appending, and for reading its end. Throws an error of the registry if it is
 * a symbolic link, or anything else that is not a plain file of its own.
 */
export async function openSegment(file: string): Promise<{ handle: FileHandle; stat: Stats }> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  let handle: FileHandle;
  try {
    handle = await open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new AgentError('SEGMENT_IS_LINK', { file });
    if (code === 'EISDIR') throw new AgentError('SEGMENT_NOT_PLAIN', { file });
    throw cause;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.nlink > 1) throw new AgentError('SEGMENT_NOT_PLAIN', { file });
    return { handle, stat };
  } catch (error) {
    // Node ends a process in which a handle is collected that nobody has closed.
    await handle.close();
    throw error;
  }
}

/** Returns the error of the registry for an error of the file system. */
export function unusable(path: string, cause: unknown): AgentError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new AgentError(
    CODES[code ?? ''] ?? 'JOURNAL_UNUSABLE',
    { path, reason: message },
    { cause },
  );
}

/** Returns the same for an error of the file system, and any other error as it is. */
export function orUnusable(path: string, error: unknown): unknown {
  const isOfFiles = error instanceof Error && 'syscall' in error;
  return isOfFiles ? unusable(path, error) : error;
}

const CODES: Readonly<Record<string, 'JOURNAL_READ_ONLY' | 'JOURNAL_NOT_PERMITTED'>> = {
  EROFS: 'JOURNAL_READ_ONLY',
  EACCES: 'JOURNAL_NOT_PERMITTED',
  EPERM: 'JOURNAL_NOT_PERMITTED',
};

/** Returns the error for a closed segment whose content is damaged. */
export function damaged(file: string, cause: unknown): AgentError {
  return new AgentError('SEGMENT_DAMAGED', { file, reason: (cause as Error).message }, { cause });
}
