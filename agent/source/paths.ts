/** Paths as the record tells them: docs/record.md, "Paths". Pure. */

const UNREACHABLE = '(unreachable)';

/** A path outside the process's root says so, as the kernel's getcwd(2) does. */
export function reachable(path: string, unreachable: boolean): string {
  return unreachable ? `${UNREACHABLE}${path}` : path;
}

/**
 * The path given to execve, made absolute: `.` and empty parts go, leading `..` are taken off the
 * working directory, which has no symbolic links in it; any other `..` stays, since a link may
 * stand before it.
 */
export function absolutePath(given: string, workingDirectory: string): string {
  if (given.startsWith('/')) return needsNoWork(given) ? given : join([], given);
  const base = workingDirectory.startsWith(UNREACHABLE) ? UNREACHABLE : '';
  const parts = workingDirectory.slice(base.length).split('/').filter(isPart);
  return base + join(parts, given);
}

/**
 * What `/dev/fd/N` or `/dev/fd/N/rest` means, given the descriptor's path; with the descriptor
 * closed, the executable's own path.
 */
export function locate(given: string, descriptor: string | undefined, executable: string): string {
  if (descriptor === undefined) return executable;
  const rest = given.replace(/^\/dev\/fd\/\d+\/?/, '');
  return rest === '' ? descriptor : absolutePath(rest, descriptor);
}

function needsNoWork(path: string): boolean {
  return !path.includes('//') && !path.includes('/.') && (path.length === 1 || !path.endsWith('/'));
}

function join(base: string[], given: string): string {
  const parts = given.split('/').filter(isPart);
  const named = parts.findIndex((part) => part !== '..');
  const ups = named < 0 ? parts.length : named;
  const kept = base.slice(0, Math.max(0, base.length - ups));
  return `/${[...kept, ...parts.slice(ups)].join('/')}`;
}

function isPart(part: string): boolean {
  return part !== '' && part !== '.';
}
