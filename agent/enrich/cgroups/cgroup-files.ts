import { readdirSync, readFileSync, statSync } from 'node:fs';
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

/** A mounted cgroup hierarchy. */
export interface CgroupMount {
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
      const id = idOf(point);
      if (id === undefined) return [];
      return [{ v2: type === 'cgroup2', point, id, root, options: options.split(',') }];
    });
}

/** The folder of a cgroup. */
export interface CgroupFolder {
  readonly id: bigint;
  /** what `visit` returned for its parent */
  readonly above: string;
  /** its own name; undefined: it is the mounted cgroup, which has the path `above` */
  readonly name: string | undefined;
  /** Whether others than root may make cgroups beside it. */
  readonly isDelegated: boolean;
}

/** Calls `visit` with every cgroup at and below `point`; `visit` returns its path. */
export function listFolders(
  point: string,
  path: string,
  visit: (folder: CgroupFolder) => string,
): void {
  listFrom(Buffer.from(point), { above: path, name: undefined, isDelegated: false }, visit);
}

/**
 * Folders are named by bytes, because a name that is not UTF-8 would be another name as a string.
 */
function listFrom(
  folder: Buffer,
  at: Omit<CgroupFolder, 'id'>,
  visit: (folder: CgroupFolder) => string,
): void {
  try {
    const { ino, uid, mode } = statSync(folder, { bigint: true });
    const above = visit({ ...at, id: ino });
    const isDelegated = uid !== 0n || (mode & WRITABLE) !== 0n;
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
      if (!entry.isDirectory()) continue;
      const name = textOf(entry.name, 0, entry.name.length);
      listFrom(Buffer.concat([folder, SLASH, entry.name]), { above, name, isDelegated }, visit);
    }
  } catch {
    // It was removed in the meantime, so that nothing runs in it any more.
  }
}

const SLASH = Buffer.from('/');
/** by the group or by everybody */
const WRITABLE = 0o022n;

/** Returns the id of a cgroup, which is the inode of its folder. */
function idOf(folder: string): bigint | undefined {
  try {
    return statSync(folder, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
