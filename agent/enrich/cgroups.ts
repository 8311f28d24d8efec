import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { CgroupEvent, CgroupIds } from '../record.ts';

const ROOT_ID = 1n;
const LINES_MAX = 8192;
const SCAN_EVERY_MS = 1000;

/**
 * Paths of cgroups by hierarchy and id: from the kernel's events, and from a look at the file
 * system for those that were there before, or whose event was lost.
 */
export class CgroupPaths {
  readonly #paths = new Map<string, string>();
  /** hierarchy number → "memory" and the like, as the middle field of /proc/PID/cgroup */
  #controllers = new Map<number, string>();
  readonly #proc: string;
  #scannedAt = 0;
  readonly #lines = new Map<CgroupIds, string>();

  constructor(proc = '/proc') {
    this.#proc = proc;
    this.scan();
  }

  /** Looks at every mounted cgroup hierarchy. */
  scan(): void {
    this.#scannedAt = performance.now();
    this.#controllers = readControllers(`${this.#proc}/self/cgroup`);
    for (const mount of readMounts(`${this.#proc}/self/mountinfo`)) {
      const hierarchy = mount.v2 ? 0 : this.#hierarchyOf(mount.options);
      if (hierarchy !== undefined) this.#walk(hierarchy, mount.point, mount.root);
    }
  }

  note(event: CgroupEvent): void {
    const key = `${event.hierarchy}:${event.id}`;
    if (event.kind === 'cgroup_mkdir') this.#paths.set(key, event.path);
    else this.#paths.delete(key);
  }

  /**
   * The line of /proc/PID/cgroup that tells most: of the unified hierarchy, or, where that has the
   * process in its root, of the memory or the pids controller. undefined: not known (yet).
   */
  line(ids: CgroupIds): string | undefined {
    const known = this.#lines.get(ids);
    if (known !== undefined) return known;
    const line = this.#line(ids) ?? this.#lookAgain(ids);
    if (this.#lines.size >= LINES_MAX) this.#lines.clear();
    if (line !== undefined) this.#lines.set(ids, line);
    return line;
  }

  /** The event that told of it was lost: it may be there to be seen. */
  #lookAgain(ids: CgroupIds): string | undefined {
    if (performance.now() - this.#scannedAt < SCAN_EVERY_MS) return undefined;
    this.scan();
    return this.#line(ids);
  }

  #line(ids: CgroupIds): string | undefined {
    const unified = this.#path(0, ids.v2);
    if (unified !== '/') return unified === undefined ? undefined : `0::${unified}`;
    for (const [hierarchy, id] of [
      [ids.memoryHierarchy, ids.memory],
      [ids.pidsHierarchy, ids.pids],
    ] as const) {
      const path = hierarchy === 0 ? '/' : this.#path(hierarchy, id);
      if (path !== '/')
        return path === undefined
          ? undefined
          : `${hierarchy}:${this.#controllers.get(hierarchy) ?? ''}:${path}`;
    }
    return '0::/';
  }

  #path(hierarchy: number, id: bigint): string | undefined {
    return id === ROOT_ID ? '/' : this.#paths.get(`${hierarchy}:${id}`);
  }

  #hierarchyOf(options: readonly string[]): number | undefined {
    for (const [hierarchy, controllers] of this.#controllers)
      if (controllers.split(',').every((name) => options.includes(name))) return hierarchy;
    return undefined;
  }

  #walk(hierarchy: number, point: string, path: string): void {
    try {
      // The inode of a cgroup's folder is its id.
      this.#paths.set(`${hierarchy}:${statSync(point, { bigint: true }).ino}`, path);
      for (const entry of readdirSync(point, { withFileTypes: true }))
        if (entry.isDirectory())
          this.#walk(
            hierarchy,
            `${point}/${entry.name}`,
            path === '/' ? `/${entry.name}` : `${path}/${entry.name}`,
          );
    } catch {
      // Removed while we looked: nothing runs in it any more.
    }
  }
}

function readControllers(file: string): Map<number, string> {
  const controllers = new Map<number, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [hierarchy, names] = line.split(':');
    if (hierarchy && names) controllers.set(Number(hierarchy), names);
  }
  return controllers;
}

interface CgroupMount {
  readonly v2: boolean;
  readonly point: string;
  /** the cgroup that is mounted, a path in its hierarchy */
  readonly root: string;
  readonly options: readonly string[];
}

function readMounts(file: string): CgroupMount[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before, after] = line.split(' - ');
      const [, , , root, point] = (before ?? '').split(' ');
      const [type, , options] = (after ?? '').split(' ');
      if (!root || !point || (type !== 'cgroup' && type !== 'cgroup2')) return [];
      return [{ v2: type === 'cgroup2', point, root, options: (options ?? '').split(',') }];
    });
}
