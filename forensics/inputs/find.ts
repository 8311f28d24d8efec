import {
  type BigIntStats,
  existsSync,
  fstatSync,
  globSync,
  lstatSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasGap, LISTS_MAX } from '../../record/segment-gap.ts';
import { LINES, OF_AGENT, SEGMENT, unknownNames } from './names.ts';
import { isStream } from './read/stream.ts';

/** What can be done about files whose names say nothing. */
const UNKNOWN =
  'Unpack it, or name the file itself if it has records; a glob such as nodes/**/*.jsonl* leaves it out';

/** A file of records and its journal. */
export interface Found {
  /** as the user named it */
  readonly path: string;
  /** the folder of a segment, or else the file itself; lines of one journal are in order */
  readonly journal: string;
  /** its one name in the file system; undefined: a stream, which can be read only once */
  readonly real: string | undefined;
  /** Whether it has the name of one of the agent's own files, in a folder of segments. */
  readonly isBeside: boolean;
  /** Whether an agent exported its records: rules may have held back some, and one may be there twice. */
  readonly isExported?: boolean;
  /** Whether it is a copy of something else than a file, which has the name. */
  readonly isFetched?: boolean;
}

/** An input, or a part of it, that cannot be read at all, and why. */
export interface Problem {
  readonly path: string;
  readonly why: string;
}

/** Files that were made of answers, what is missing, and remarks. */
export interface Answers {
  readonly found: Found[];
  readonly problems: Problem[];
  readonly notes: string[];
  /** files that were named beside the question */
  readonly paths?: readonly string[];
}

/**
 * Finds the files that paths name: files, pipes, folders with everything in them, globs. Segments
 * come in their order. Each file comes once, whatever it is called.
 */
export function findFiles(paths: readonly string[]): { found: Found[]; problems: Problem[] } {
  const search = new Search();
  for (const path of paths) search.add(path);
  return { found: search.found(), problems: search.problems() };
}

/** Returns the name of a segment's compressed form. */
export function compressedName(path: string): string {
  return `${path}.zst`;
}

/** An inode's number can have 64 bits. */
const WHOLE = { bigint: true } as const;

class Search {
  readonly #problems: Problem[] = [];
  readonly #files = new Map<string, Found>();
  /** files whose names do not say that they have records, by what identifies them */
  readonly #unknown = new Map<string, string>();
  /** Each folder is read once, whatever leads there. */
  readonly #folders = new Set<string>();
  /** how many files and problems were met, also those that are known */
  #met = 0;

  /** Adds what one argument names. */
  add(path: string): void {
    const before = this.#met;
    if (isStream(path)) this.#addStream(path);
    else if (isThere(path)) this.#addAny(path);
    else for (const match of globSync(path).sort()) this.#addAny(match);
    if (this.#met === before) this.#problem(path, 'no such file, or no records in this folder');
  }

  found(): Found[] {
    return [...this.#files.values()];
  }

  problems(): Problem[] {
    const unread = [...this.#unknown].filter(([key]) => !this.#files.has(key));
    const paths = unread.map(([, path]) => path);
    return [...this.#problems, ...unknownNames(paths, UNKNOWN)];
  }

  #addAny(path: string): void {
    const stat = this.#stat(path);
    if (stat === undefined) return;
    if (stat.isDirectory()) this.#addFolder(path, stat);
    else if (isStream(path)) this.#addStream(path);
    else if (stat.isFile()) this.#addFile(path, stat);
    else this.#problem(path, 'neither a file nor a pipe nor a folder');
  }

  #addFolder(path: string, stat: BigIntStats): void {
    const identity = identityOf(stat);
    if (this.#folders.has(identity)) {
      this.#met += 1;
      return;
    }
    this.#folders.add(identity);
    const names = this.#namesIn(path);
    const hasSegments = names.some((name) => SEGMENT.test(name));
    const folders: (readonly [string, BigIntStats])[] = [];
    for (const name of names) {
      const isOfAgent = OF_AGENT.test(name);
      if (isOfAgent && !LINES.test(name)) continue;
      const inside = join(path, name);
      const one = this.#stat(inside, LINES.test(name));
      if (one === undefined) continue;
      if (one.isDirectory()) folders.push([inside, one]);
      else if (!LINES.test(name)) this.#addUnknown(inside, one);
      else if (one.isFile()) this.#addFile(inside, one, hasSegments && isOfAgent);
      else this.#problem(inside, 'not a plain file; it is read if it is named itself');
    }
    for (const [folder, one] of folders) this.#addFolder(folder, one);
  }

  #namesIn(folder: string): string[] {
    try {
      let names = readdirSync(folder);
      for (let lists = 1; lists < LISTS_MAX && hasGap(numbersIn(names)); lists += 1)
        names = withOthers(readdirSync(folder), names);
      const segments = names.filter((name) => SEGMENT.test(name)).sort();
      return [...segments, ...names.filter((name) => !SEGMENT.test(name)).sort()];
    } catch (error) {
      this.#problem(folder, (error as Error).message);
      return [];
    }
  }

  #addStream(path: string): void {
    this.#met += 1;
    const key = path === '-' ? identityOf(fstatSync(0, WHOLE)) : identityOf(statSync(path, WHOLE));
    if (this.#files.has(key)) return;
    this.#files.set(key, { path, journal: path, real: undefined, isBeside: false });
  }

  #addFile(path: string, stat: BigIntStats, isBeside = false): void {
    this.#met += 1;
    try {
      const real = realpathSync(path);
      const name = basename(real);
      const isSegment = SEGMENT.test(name);
      // The inode of a segment that was removed can be that of another one a moment later.
      const key = isSegment ? `${identityOf(stat)}:${Number.parseInt(name, 10)}` : identityOf(stat);
      if (this.#files.has(key)) return;
      const journal = isSegment ? dirname(real) : real;
      this.#files.set(key, { path, journal, real, isBeside });
    } catch (error) {
      const other = otherName(path);
      if (other === undefined) this.#problem(path, (error as Error).message);
      else this.#addFile(other, statSync(other, WHOLE), isBeside);
    }
  }

  /** An empty file is nothing that is left out. */
  #addUnknown(path: string, stat: BigIntStats): void {
    if (!stat.isFile() || stat.size === 0n) return;
    this.#met += 1;
    this.#unknown.set(identityOf(stat), path);
  }

  /** Undefined: it cannot be read, or is no longer there, which is a problem only of what is wanted. */
  #stat(path: string, isWanted = true): BigIntStats | undefined {
    try {
      return statSync(path, WHOLE);
    } catch (error) {
      const other = otherName(path);
      if (other !== undefined) return statSync(other, WHOLE);
      if (isWanted || isThere(path)) this.#problem(path, (error as Error).message);
      return undefined;
    }
  }

  #problem(path: string, why: string): void {
    this.#met += 1;
    this.#problems.push({ path, why });
  }
}

/** Whether a folder has something under a name, be it a link to nothing. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** Returns the other name of a segment that was compressed since it was listed; undefined: it was not. */
function otherName(path: string): string | undefined {
  const other = compressedName(path);
  return SEGMENT.test(basename(path)) && existsSync(other) ? other : undefined;
}

/** Adds segments that were listed before, and now under neither of their names. */
function withOthers(names: readonly string[], before: readonly string[]): string[] {
  const numbers = new Set(numbersIn(names));
  const others = before.filter(
    (name) => SEGMENT.test(name) && !numbers.has(Number.parseInt(name, 10)),
  );
  return [...names, ...others];
}

/** Returns the numbers of segments among names, each once and in order. */
function numbersIn(names: readonly string[]): number[] {
  const segments = names.filter((name) => SEGMENT.test(name));
  return [...new Set(segments.map((name) => Number.parseInt(name, 10)))].sort((a, b) => a - b);
}

/** Two paths with the same identity are one file. */
function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Says what cannot be read, in one line. */
export function problemsText(problems: readonly Problem[]): string {
  return problems.map(({ path, why }) => `${path}: ${why}`).join('; ');
}
