import { readdirSync, readFileSync, statSync } from 'node:fs';
import { textOf } from '../../../record/kernel-text.ts';

/** Of a /proc/PID/cgroup: the numbers of the hierarchies that events name, and their controllers. */
export function readControllers(file: string): Map<number, string> {
  const controllers = new Map<number, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [hierarchy, names = ''] = line.split(':');
    const counts = names.split(',').some((name) => name === 'memory' || name === 'pids');
    if (counts) controllers.set(Number(hierarchy), names);
  }
  return controllers;
}

export interface CgroupMount {
  readonly v2: boolean;
  readonly point: string;
  /** the id of the cgroup that is mounted */
  readonly id: bigint;
  /** its path, as this process's cgroup namespace has it */
  readonly root: string;
  readonly options: readonly string[];
}

/** Of a /proc/PID/mountinfo: the cgroup hierarchies. */
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

/** Calls `found` with every cgroup from `point` on, by its id and its path in the hierarchy. */
export function listFolders(
  point: string,
  path: string,
  found: (id: bigint, path: string) => void,
): void {
  listFrom(Buffer.from(point), path === '/' ? '' : path, found);
}

/** A folder is named by its bytes: what is no UTF-8 would be another name as a string. */
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
    // Removed while we looked: nothing runs in it any more.
  }
}

const SLASH = Buffer.from('/');

/** The inode of a cgroup's folder is its id. */
function idOf(folder: string | Buffer): bigint | undefined {
  try {
    return statSync(folder, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
