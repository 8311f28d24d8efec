import { ForensicsError } from '../errors.ts';

/** What to list, and which of the keys that are listed count. */
export interface KeyPattern {
  /** beginnings of keys */
  readonly prefixes: readonly string[];
  /** a key that is listed alone, if it exists */
  readonly exact: string | undefined;
  readonly matches: (key: string) => boolean;
}

const GLOB = /[*?[{]/;

/**
 * Reads a pattern of keys as the globs of files are read: `*` and `?` match within a part between
 * slashes, `**` matches any number of parts, and what matches a folder has everything in it.
 */
export function keyPattern(pattern: string): KeyPattern {
  const glob = pattern.search(GLOB);
  if (glob >= 0) {
    const regExp = regExpOf(pattern.replace(/\/$/, ''));
    const matches = (key: string) => regExp.test(key) || isIn(pattern, key);
    return { prefixes: [pattern.slice(0, glob)], exact: undefined, matches };
  }
  const folder = pattern === '' || pattern.endsWith('/') ? pattern : `${pattern}/`;
  const exact = folder === pattern ? undefined : pattern;
  return { prefixes: [folder], exact, matches: (key) => isIn(pattern, key) };
}

function regExpOf(glob: string): RegExp {
  try {
    return new RegExp(`^(?:${globSource(glob)})(?:/.*)?$`, 'su');
  } catch (cause) {
    throw new ForensicsError('usage', `${glob} is no glob: ${(cause as Error).message}`, { cause });
  }
}

/** Whether a key is this one, or in the folder with this name. */
function isIn(folder: string, key: string): boolean {
  if (!key.startsWith(folder)) return false;
  return (
    folder === '' ||
    folder.endsWith('/') ||
    key.length === folder.length ||
    key[folder.length] === '/'
  );
}

/** One of: parts of any depth, within a part, one character, a set, alternatives, a character. */
const TOKEN =
  /(?<deep>(?<=^|\/)\*\*(?:\/|$))|(?<stars>\*+)|(?<one>\?)|\[(?<not>[!^]?)(?<set>\]?[^\]/]*)\]|\{(?<either>[^{}]*,[^{}]*)\}|(?<plain>.)/gsu;

function globSource(glob: string): string {
  return glob.replaceAll(TOKEN, (...found) => {
    const { deep, stars, one, not, set, either, plain } = found.at(-1) as Record<string, string>;
    if (deep !== undefined) return deep === '**' ? '.*' : '(?:[^/]*/)*';
    if (stars !== undefined) return '[^/]*';
    if (one !== undefined) return '[^/]';
    if (set !== undefined) return `[${not === '' ? '' : '^/'}${setSource(set)}]`;
    if (either !== undefined) return `(?:${either.split(',').map(globSource).join('|')})`;
    return RegExp.escape(plain ?? '');
  });
}

/** Hyphens make ranges, as in a set of a regular expression; everything else is itself. */
function setSource(set: string): string {
  return set.replaceAll(/[^\w-]/gu, (one) => RegExp.escape(one));
}
