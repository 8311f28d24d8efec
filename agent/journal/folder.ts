import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AgentError } from '../errors.ts';

const OTHERS_WRITE = 0o022;
const NOT_PLAIN = 'it is not a plain file of its own; remove it';

/** Makes the journal's folder, 0700, or throws JOURNAL_UNUSABLE if what is there cannot be trusted. */
export function prepareFolder(dir: string): void {
  try {
    makeFolders(resolve(dir));
  } catch (cause) {
    throw unusable(dir, cause);
  }
  // Without a slash at its end, which would follow a link.
  const stat = lstatSync(resolve(dir));
  if (stat.isSymbolicLink())
    throw refuse(dir, `it is a symbolic link to ${realpathSync(dir)}; name the real folder`);
  if (!stat.isDirectory()) throw refuse(dir, 'it is not a folder; remove it or choose another');
  if (stat.uid !== process.getuid?.())
    throw refuse(dir, `it belongs to uid ${stat.uid}; change its owner or choose another`);
  if ((stat.mode & OTHERS_WRITE) !== 0)
    throw refuse(dir, `others may write to it; run: chmod 0700 ${dir}`);
  // Made for us with an ordinary umask, as by the kubelet; one with content is its owner's decision.
  if (readdirSync(dir).length === 0) chmodSync(dir, 0o700);
}

/** One by one: of a read-only file system, Node's own way of making parents says ENOENT. */
function makeFolders(dir: string): void {
  if (existsSync(dir)) return;
  makeFolders(dirname(dir));
  mkdirSync(dir, { mode: 0o700 });
}

/**
 * Opens a segment for appending, and for reading its end; symbolic links and anything but a plain
 * file are refused.
 */
export function openSegment(file: string): { fd: number; stat: Stats } {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  let fd: number;
  try {
    fd = openSync(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw refuse(file, 'it is a symbolic link; remove it');
    if (code === 'EISDIR') throw refuse(file, NOT_PLAIN);
    throw cause;
  }
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.nlink > 1) {
    closeSync(fd);
    throw refuse(file, NOT_PLAIN);
  }
  return { fd, stat };
}

/** JOURNAL_UNUSABLE for whatever the file system said. */
export function unusable(path: string, cause: unknown): AgentError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const remedy =
    code === 'EROFS'
      ? 'the file system is read-only: mount it writable or choose another --journal-dir'
      : code === 'EACCES' || code === 'EPERM'
        ? 'run as root, or choose another --journal-dir'
        : 'choose another --journal-dir';
  return new AgentError(
    'JOURNAL_UNUSABLE',
    `the journal ${path} cannot be used: ${message}; ${remedy}`,
    { cause },
  );
}

/** JOURNAL_UNUSABLE for a folder that is not the one that was opened. */
export function replaced(dir: string): AgentError {
  return refuse(dir, 'somebody removed, moved or replaced it: start again, which makes it anew');
}

/** JOURNAL_UNUSABLE for a closed segment whose content is damaged. */
export function damaged(file: string, cause: unknown): AgentError {
  return new AgentError(
    'JOURNAL_UNUSABLE',
    `the journal's ${file} is damaged (${(cause as Error).message}): move it out of the way`,
    { cause },
  );
}

function refuse(path: string, why: string): AgentError {
  return new AgentError('JOURNAL_UNUSABLE', `the journal ${path} cannot be used: ${why}`);
}
