import type { CgroupEvent, CgroupIds } from '../../../record/types.ts';
import { type CgroupMount, listFolders, readControllers, readMounts } from './cgroup-files.ts';

const ROOT_ID = 1n;
/** A scan is followed by a pause of so many times its own length. */
const PAUSE_PER_SCAN = 9;
/** What a scan did not find is not looked for again for so long. */
const MISSING_MS = 1000;
const MISSING_MAX = 1024;
/** A scan leaves room for as many again as there are, and these: beyond, ends were lost. */
const MORE_MAX = 1024;
/** Ids are not given again for as long as it matters, so that the dead can be remembered. */
const DEAD_MAX = 4096;

/** Hears of cgroups; `key` is one of its hierarchy and id. */
export interface CgroupListener {
  /** `made`: just now, not found by looking. */
  appeared(key: string, path: string, made: boolean): void;
  gone(key: string, path: string): void;
}

/** Where a process is in one hierarchy. */
export interface CgroupPath {
  readonly path: string;
  /** as in /proc/PID/cgroup */
  readonly line: string;
}

/**
 * Paths of cgroups by hierarchy and id: from the kernel's events, and from a look at the file
 * system for those that were there before, or whose event was lost.
 */
export class CgroupTree {
  readonly #paths = new Map<string, string>();
  readonly #dead = new Map<string, string>();
  /** hierarchy number → "memory" and the like, as the middle field of /proc/PID/cgroup */
  #controllers = new Map<number, string>();
  readonly #listener: CgroupListener;
  readonly #proc: string;
  readonly #now: () => number;
  /** until when what the last scans did not find counts as not there */
  readonly #missing = new Map<string, number>();
  #pauseEnds = 0;
  #pathsMax = 0;

  /** `now`: a clock in milliseconds */
  constructor(listener: CgroupListener, proc = '/proc', now = () => performance.now()) {
    this.#listener = listener;
    this.#proc = proc;
    this.#now = now;
    this.scan();
  }

  /** Looks at every hierarchy that counts; what is there no more counts as dead, where all is seen. */
  scan(): void {
    const began = this.#now();
    this.#controllers = readControllers(`${this.#proc}/self/cgroup`);
    const seen = new Set<string>();
    const whole = new Set<string>();
    for (const { hierarchy, point, path, isRoot } of this.#roots()) {
      if (isRoot) whole.add(`${hierarchy}`);
      listFolders(point, path, (id, path) => {
        const key = `${hierarchy}:${id}`;
        seen.add(key);
        if (!this.#paths.has(key)) this.#add(key, path, false);
      });
    }
    for (const key of this.#paths.keys())
      if (!seen.has(key) && whole.has(key.slice(0, key.indexOf(':')))) this.#bury(key);
    this.#pathsMax = 2 * this.#paths.size + MORE_MAX;
    const ended = this.#now();
    this.#pauseEnds = ended + PAUSE_PER_SCAN * (ended - began);
  }

  note(event: CgroupEvent): void {
    if (event.hierarchy !== 0 && !this.#controllers.has(event.hierarchy)) return;
    const key = `${event.hierarchy}:${event.id}`;
    const made = event.kind === 'cgroup_mkdir' ? event.path : undefined;
    // An id that is given again has had its end, also where the event of that was lost.
    if (this.#paths.get(key) !== made) this.#bury(key);
    // A path that the kernel side could not read: a scan finds it.
    if (made === '') this.#dead.delete(key);
    else if (made !== undefined) this.#add(key, made, true);
    if (this.#paths.size > this.#pathsMax) this.scan();
  }

  /**
   * Where a process is: in the unified hierarchy, then in those of the memory and the pids
   * controller; not where it is in the root. `complete`: no path is missing.
   */
  places(ids: CgroupIds): { readonly places: readonly CgroupPath[]; readonly complete: boolean } {
    const { places, unknown } = this.#look(ids);
    return { places, complete: unknown.length === 0 };
  }

  /** The same of a process that is there; looks again if the event that told of it was lost. */
  find(ids: CgroupIds): ReturnType<CgroupTree['places']> {
    const { unknown } = this.#look(ids);
    const now = this.#now();
    const isNew = unknown.some((key) => now >= (this.#missing.get(key) ?? now));
    if (isNew && now >= this.#pauseEnds) {
      this.scan();
      if (this.#missing.size >= MISSING_MAX) this.#missing.clear();
      for (const key of this.#look(ids).unknown) this.#missing.set(key, now + MISSING_MS);
    }
    return this.places(ids);
  }

  #look(ids: CgroupIds): { readonly places: CgroupPath[]; readonly unknown: string[] } {
    const places: CgroupPath[] = [];
    const unknown: string[] = [];
    const look = (hierarchy: number, id: bigint) => {
      const key = `${hierarchy}:${id}`;
      const path = id === ROOT_ID ? '/' : this.#path(key);
      const controllers = this.#controllers.get(hierarchy) ?? '';
      if (path === undefined) unknown.push(key);
      else if (path !== '/') places.push({ path, line: `${hierarchy}:${controllers}:${path}` });
    };
    look(0, ids.v2);
    if (ids.memoryHierarchy !== 0) look(ids.memoryHierarchy, ids.memory);
    if (ids.pidsHierarchy !== 0) look(ids.pidsHierarchy, ids.pids);
    return { places, unknown };
  }

  #path(key: string): string | undefined {
    return this.#paths.get(key) ?? this.#dead.get(key);
  }

  #add(key: string, path: string, made: boolean): void {
    this.#dead.delete(key);
    this.#paths.set(key, path);
    this.#listener.appeared(key, path, made);
  }

  #bury(key: string): void {
    const path = this.#paths.get(key);
    if (path === undefined) return;
    this.#paths.delete(key);
    this.#dead.set(key, path);
    for (const oldest of this.#dead.keys()) {
      if (this.#dead.size <= DEAD_MAX) break;
      this.#dead.delete(oldest);
    }
    this.#listener.gone(key, path);
  }

  /** Each hierarchy's root, where that is mounted; else what is, by the path it has there. */
  #roots(): { hierarchy: number; point: string; path: string; isRoot: boolean }[] {
    const roots = readMounts(`${this.#proc}/self/mountinfo`).flatMap((mount) => {
      const hierarchy = mount.v2 ? 0 : this.#hierarchyOf(mount);
      if (hierarchy === undefined) return [];
      const { point, id, root } = mount;
      return [{ hierarchy, point, path: id === ROOT_ID ? '/' : root, isRoot: id === ROOT_ID }];
    });
    return roots.filter(
      ({ hierarchy, isRoot }) =>
        isRoot || !roots.some((other) => other.isRoot && other.hierarchy === hierarchy),
    );
  }

  #hierarchyOf({ options }: CgroupMount): number | undefined {
    for (const [hierarchy, controllers] of this.#controllers)
      if (controllers.split(',').every((name) => options.includes(name))) return hierarchy;
    return undefined;
  }
}
