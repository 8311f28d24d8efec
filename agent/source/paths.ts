/** Paths as records contain them: docs/record.md, "Paths". Pure. */

const UNREACHABLE = '(unreachable)';

/** Marks a path outside the process's root, as getcwd(2) does. */
export function reachable(path: string, unreachable: boolean): string {
  return unreachable ? `${UNREACHABLE}${path}` : path;
}

/**
 * Makes the path that was given to execve absolute. It removes `.` and empty parts. Leading `..`
 * are resolved, because the working directory contains no symbolic links; any other `..` stays,
 * because the part before it may be a link. If the working directory's front is missing (`isCut`), and
 * what is left of it does not suffice for that, the path stays as it was given.
 */
export function absolutePath(given: string, workingDirectory: string, isCut = false): string {
  if (given.startsWith('/')) return needsNoWork(given) ? given : join([], given);
  const base = workingDirectory.startsWith(UNREACHABLE) ? UNREACHABLE : '';
  const parts = workingDirectory.slice(base.length).split('/').filter(isPart);
  if (isCut && upsIn(given.split('/').filter(isPart)) >= parts.length) return given;
  return base + join(parts, given);
}

/**
 * Resolves `/dev/fd/N` and `/dev/fd/N/rest` by the path of the descriptor. If that was closed
 * already, it is the executable's own path.
 */
export function locate(
  given: string,
  descriptor: { readonly path: string; readonly isCut: boolean } | undefined,
  executable: string,
): string {
  if (descriptor === undefined) return executable;
  const rest = given.replace(/^\/dev\/fd\/\d+\/?/, '');
  const { path, isCut } = descriptor;
  return rest === '' ? path : absolutePath(rest, path, isCut);
}

function needsNoWork(path: string): boolean {
  return !path.includes('//') && !path.includes('/.') && (path.length === 1 || !path.endsWith('/'));
}

function join(base: string[], given: string): string {
  const parts = given.split('/').filter(isPart);
  const ups = upsIn(parts);
  const kept = base.slice(0, Math.max(0, base.length - ups));
  return `/${[...kept, ...parts.slice(ups)].join('/')}`;
}

/** The number of leading `..`. */
function upsIn(parts: readonly string[]): number {
  const named = parts.findIndex((part) => part !== '..');
  return named < 0 ? parts.length : named;
}

function isPart(part: string): boolean {
  return part !== '' && part !== '.';
}
