import {
  type BigIntStats,
  type Dir,
  opendirSync,
  type PathLike,
  readFileSync,
  statSync,
} from 'node:fs';
import { textOf } from '../../../record/kernel-text.ts';

/**
 * Reads a /proc/PID/cgroup: the controllers of the hierarchies that events name, by the hierarchy's
 * number.
 */
export function readControllers(file: string): Map<number, string> {
  const controllers = new Map<number, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [hierarchy, names = ''] = line.split(':');
    const counts = names.split(',').some((name) => name === 'memory' || name === 'pids');
    if (counts) controllers.set(Number(hierarchy), names);
  }
  return controllers;
}

/** The id of the root of every hierarchy. */
export const ROOT_ID = 1n;

/** What is mounted of a hierarchy, at `point`. */
interface CgroupRoot {
  readonly hierarchy: number;
  readonly point: string;
  /** its path in the hierarchy */
  readonly path: string;
  readonly isRoot: boolean;
}

/** Returns the root of each hierarchy if it is mounted; else what is mounted. */
export function readRoots(
  proc: string,
  controllers: ReadonlyMap<number, string>,
): readonly CgroupRoot[] {
  const roots = readMounts(`${proc}/self/mountinfo`).flatMap((mount) => {
    const hierarchy = mount.v2 ? 0 : hierarchyOf(mount, controllers);
    if (hierarchy === undefined) return [];
    const { point, id, root } = mount;
    return [{ hierarchy, point, path: id === ROOT_ID ? '/' : root, isRoot: id === ROOT_ID }];
  });
  return roots.filter(
    ({ hierarchy, isRoot }) =>
      isRoot || !roots.some((other) => other.isRoot && other.hierarchy === hierarchy),
  );
}

/** A mounted cgroup hierarchy. */
interface CgroupMount {
  readonly v2: boolean;
  readonly point: string;
  /** the id of the mounted cgroup */
  readonly id: bigint;
  /** its path in this process's cgroup namespace */
  readonly root: string;
  readonly options: readonly string[];
}

/** Reads the cgroup hierarchies in a /proc/PID/mountinfo. */
export function readMounts(file: string): CgroupMount[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root, point] = before.split(' ');
      const [type, , options = ''] = after.split(' ');
      if (!root || !point || (type !== 'cgroup' && type !== 'cgroup2')) return [];
      const id = statOf(point)?.ino;
      if (id === undefined) return [];
      return [{ v2: type === 'cgroup2', point, id, root, options: options.split(',') }];
    });
}

function hierarchyOf(
  { options }: CgroupMount,
  controllers: ReadonlyMap<number, string>,
): number | undefined {
  for (const [hierarchy, names] of controllers)
    if (names.split(',').every((name) => options.includes(name))) return hierarchy;
  return undefined;
}

/** The folder of a cgroup. */
export interface CgroupFolder {
  readonly id: bigint;
  /** the path that `visit` returned for its parent */
  readonly above: string;
  /** its own name; undefined: it is the mounted cgroup, which has the path `above` */
  readonly name: string | undefined;
  /** Whether others than root may make cgroups beside it. */
  readonly isDelegated: boolean;
}

/** What is found out about a cgroup. */
export interface Visited {
  readonly path: string;
  /** Whether it is a container's own. */
  readonly isContainer: boolean;
}

/** What is nested more deeply is not listed; no name that counts is, see containerOf(). */
const DEPTH_MAX = 64;

/**
 * Calls `visit` with every cgroup at and below `point`, and yields after each one, because there can be
 * any number of them. What containers and others than root have below their own comes last.
 */
export function* listFolders(
  point: string,
  path: string,
  visit: (folder: CgroupFolder) => Visited,
): Generator<void> {
  const mounted = { above: path, name: undefined, isDelegated: false };
  const top = visitFolder(Buffer.from(point), mounted, visit);
  if (top === undefined) return;
  yield;
  const last: Folder[] = [top];
  // Others are added meanwhile.
  for (const folder of last) yield* listBelow(folder, visit, last);
}

interface Folder {
  /**
   * It is named by bytes, because a name that is not UTF-8 would be another name as a string.
   */
  readonly folder: Buffer;
  readonly path: string;
  readonly isDelegated: boolean;
  /** Whether what is below it comes last. */
  readonly isLast: boolean;
}

/** Lists what is below a folder; it opens one folder on each level, and keeps no list of names. */
function* listBelow(
  top: Folder,
  visit: (folder: CgroupFolder) => Visited,
  last: Folder[],
): Generator<void> {
  const open = [{ ...top, dir: openFolder(top.folder) }];
  try {
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      const bytes = nextFolder(at.dir);
      if (bytes === undefined) {
        at.dir?.closeSync();
        open.pop();
        continue;
      }
      const folder = Buffer.concat([at.folder, SLASH, bytes]);
      const name = textOf(bytes, 0, bytes.length);
      const { path: above, isDelegated } = at;
      const found = visitFolder(folder, { above, name, isDelegated }, visit);
      if (found === undefined) continue;
      yield;
      if (found.isLast && !isDelegated) last.push(found);
      else if (open.length < DEPTH_MAX) open.push({ ...found, dir: openFolder(folder) });
    }
  } finally {
    for (const { dir } of open) dir?.closeSync();
  }
}

/** Undefined: it was removed in the meantime, so that nothing runs in it any more. */
function visitFolder(
  folder: Buffer,
  at: Omit<CgroupFolder, 'id'>,
  visit: (folder: CgroupFolder) => Visited,
): Folder | undefined {
  const stats = statOf(folder);
  if (stats === undefined) return undefined;
  const { path, isContainer } = visit({ ...at, id: stats.ino });
  const isDelegated = stats.uid !== 0n || (stats.mode & WRITABLE) !== 0n;
  return { folder, path, isDelegated, isLast: isDelegated || isContainer };
}

function openFolder(folder: Buffer): Dir | undefined {
  try {
    // In this encoding, each byte is a character.
    return opendirSync(folder, { encoding: 'latin1', bufferSize: 128 });
  } catch (error) {
    return removed(error);
  }
}

/** What cannot be opened because files or memory are missing is still there; anything else was removed. */
function removed(error: unknown): undefined {
  if (LACKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
}

const LACKS = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Returns the name of the next folder in a folder; undefined: there are no more. */
function nextFolder(dir: Dir | undefined): Buffer | undefined {
  try {
    for (let entry = dir?.readSync(); entry; entry = dir?.readSync())
      if (entry.isDirectory()) return Buffer.from(entry.name, 'latin1');
  } catch (error) {
    return removed(error);
  }
  return undefined;
}

const SLASH = Buffer.from('/');
/** by the group or by everybody */
const WRITABLE = 0o022n;

function statOf(folder: PathLike): BigIntStats | undefined {
  try {
    return statSync(folder, { bigint: true });
  } catch (error) {
    return removed(error);
  }
}
