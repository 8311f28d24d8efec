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

/** Calls `found` with the id and the path of every cgroup at and below `point`. */
export function listFolders(
  point: string,
  path: string,
  found: (id: bigint, path: string) => void,
): void {
  listFrom(Buffer.from(point), path === '/' ? '' : path, found);
}

/**
 * Folders are named by bytes, because a name that is not UTF-8 would be another name as a string.
 */
function listFrom(folder: Buffer, path: string, found: (id: bigint, path: string) => void): void {
  const id = idOf(folder);
  if (id === undefined) return;
  found(id, path === '' ? '/' : path);
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
      if (!entry.isDirectory()) continue;
      const { name } = entry;
      const below = Buffer.concat([folder, SLASH, name]);
      listFrom(below, `${path}/${textOf(name, 0, name.length)}`, found);
    }
  } catch {
    // It was removed in the meantime, so that nothing runs in it any more.
  }
}

const SLASH = Buffer.from('/');

/** Returns the id of a cgroup, which is the inode of its folder. */
function idOf(folder: string | Buffer): bigint | undefined {
  try {
    return statSync(folder, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
