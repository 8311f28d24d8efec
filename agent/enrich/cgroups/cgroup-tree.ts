import type { CgroupEvent, CgroupIds } from '../../../record/types.ts';
import { BoundedPaths } from './bounded-paths.ts';
import { type CgroupMount, listFolders, readControllers, readMounts } from './cgroup-files.ts';
import { type ContainerPath, containerOf } from './container-path.ts';

const ROOT_ID = 1n;
/** A scan is followed by a pause of so many times its own length. */
const PAUSE_PER_SCAN = 9;
/** What a scan did not find is not looked for again for so long. */
const MISSING_MS = 1000;
const MISSING_MAX = 1024;
/** A scan leaves room for twice the containers that there are, and these: beyond, ends were lost. */
const MORE_MAX = 1024;
/** The kernel allows no deeper path: each name takes at least two of PATH_MAX's bytes. */
const DEPTH_MAX = 2048;

/** Hears of containers' own cgroups; `key` is one of its hierarchy and id. */
export interface CgroupListener {
  /** `made`: just now, not found by looking. */
  appeared(key: string, container: ContainerPath, made: boolean): void;
  gone(key: string, container: ContainerPath): void;
}

/** What the kernel side keeps of a cgroup, whether it is still there or not. */
export interface CgroupName {
  /** the parent's id in the same hierarchy; 0: it is the root */
  readonly parent: bigint;
  /** its own name, in the record's escaped form */
  readonly name: string;
}

export interface CgroupTreeOptions {
  readonly listener: CgroupListener;
  /** Asks the kernel side; undefined: it keeps nothing of that cgroup (any more). */
  nameOf(hierarchy: number, id: bigint): CgroupName | undefined;
  readonly proc?: string | undefined;
  /** a clock in milliseconds */
  readonly now?: () => number;
}

/** Where a process is in one hierarchy. */
export interface CgroupPath {
  readonly path: string;
  /** as in /proc/PID/cgroup */
  readonly line: string;
}

/**
 * Paths of cgroups by hierarchy and id. Four sources, in this order: the containers that are there,
 * what is remembered, the kernel side's table of names, which no lost event and no restart empties,
 * and a look at the file system. What is remembered is bounded, whatever others make.
 */
export class CgroupTree {
  /** the containers' own cgroups that are there */
  readonly #containers = new Map<string, ContainerPath>();
  /** what processes ran in; and what events named that nobody has asked for yet */
  readonly #asked = new BoundedPaths();
  readonly #heard = new BoundedPaths();
  /** hierarchy number → "memory" and the like, as the middle field of /proc/PID/cgroup */
  #controllers = new Map<number, string>();
  readonly #listener: CgroupListener;
  readonly #nameOf: CgroupTreeOptions['nameOf'];
  readonly #proc: string;
  readonly #now: () => number;
  /** until when what the last scans did not find counts as not there */
  readonly #missing = new Map<string, number>();
  #pauseEnds = 0;
  #containersMax = MORE_MAX;

  /** Knows nothing until it has scanned for the first time. */
  constructor({ listener, nameOf, proc = '/proc', now }: CgroupTreeOptions) {
    this.#listener = listener;
    this.#nameOf = nameOf;
    this.#proc = proc;
    this.#now = now ?? (() => performance.now());
  }

  /** Looks at every hierarchy that counts; a container that is there no more is gone, where all is seen. */
  scan(): void {
    const began = this.#now();
    this.#controllers = readControllers(`${this.#proc}/self/cgroup`);
    const seen = new Set<string>();
    const whole = new Set<string>();
    for (const { hierarchy, point, path, isRoot } of this.#roots()) {
      if (isRoot) whole.add(`${hierarchy}`);
      listFolders(point, path, (id, path) => {
        const key = `${hierarchy}:${id}`;
        const container = ownerOf(path);
        if (container === undefined) this.#found(key, path);
        else seen.add(key);
        if (container !== undefined && !this.#containers.has(key))
          this.#appear(key, container, false);
      });
    }
    for (const key of this.#containers.keys())
      if (!seen.has(key) && whole.has(key.slice(0, key.indexOf(':')))) this.#bury(key);
    this.#containersMax = 2 * this.#containers.size + MORE_MAX;
    const ended = this.#now();
    this.#pauseEnds = ended + PAUSE_PER_SCAN * (ended - began);
  }

  /** Takes a cgroup's making or end; returns whether its id named another cgroup until now. */
  note(event: CgroupEvent): boolean {
    if (event.hierarchy !== 0 && !this.#controllers.has(event.hierarchy)) return false;
    const key = `${event.hierarchy}:${event.id}`;
    const made = event.kind === 'cgroup_mkdir' ? event.path : undefined;
    // An id that is given again has had its end, also where the event of that was lost.
    if (this.#containers.get(key)?.root !== made) this.#bury(key);
    if (made === undefined) return false;
    const isReused = this.#asked.has(key);
    this.#forget(key);
    const container = ownerOf(made);
    if (container !== undefined) this.#appear(key, container, true);
    // A path that the kernel side could not read: its table or a scan has it.
    else if (made !== '') this.#heard.set(key, made);
    if (this.#containers.size > this.#containersMax) this.scan();
    return isReused;
  }

  /**
   * Where a process is: in the unified hierarchy, then in those of the memory and the pids
   * controller; not where it is in the root. `complete`: no path is missing.
   */
  places(ids: CgroupIds): { readonly places: readonly CgroupPath[]; readonly complete: boolean } {
    const { places, unknown } = this.#look(ids);
    return { places, complete: unknown.length === 0 };
  }

  /** The same of a process that is there; looks at the file system for what nothing else knows. */
  find(ids: CgroupIds): ReturnType<CgroupTree['places']> {
    const { places, unknown } = this.#look(ids);
    if (unknown.length === 0) return { places, complete: true };
    const now = this.#now();
    const isNew = unknown.some((key) => now >= (this.#missing.get(key) ?? now));
    if (isNew && now >= this.#pauseEnds) {
      for (const key of unknown) this.#asked.set(key, UNKNOWN);
      this.scan();
      if (this.#missing.size >= MISSING_MAX) this.#missing.clear();
      for (const key of unknown) if (this.#asked.get(key) === UNKNOWN) this.#asked.delete(key);
      for (const key of this.#look(ids).unknown) this.#missing.set(key, now + MISSING_MS);
    }
    return this.places(ids);
  }

  #look(ids: CgroupIds): { readonly places: CgroupPath[]; readonly unknown: string[] } {
    const places: CgroupPath[] = [];
    const unknown: string[] = [];
    const look = (hierarchy: number, id: bigint) => {
      const path = this.#path(hierarchy, id);
      const controllers = this.#controllers.get(hierarchy) ?? '';
      if (path === undefined) unknown.push(`${hierarchy}:${id}`);
      else if (path !== '/') places.push({ path, line: `${hierarchy}:${controllers}:${path}` });
    };
    look(0, ids.v2);
    if (ids.memoryHierarchy !== 0) look(ids.memoryHierarchy, ids.memory);
    if (ids.pidsHierarchy !== 0) look(ids.pidsHierarchy, ids.pids);
    return { places, unknown };
  }

  #path(hierarchy: number, id: bigint): string | undefined {
    if (id === ROOT_ID) return '/';
    const key = `${hierarchy}:${id}`;
    const known = this.#known(key);
    if (known !== undefined) return known;
    const path = this.#heard.get(key) ?? this.#fromKernel(hierarchy, id);
    if (path !== undefined) {
      this.#heard.delete(key);
      this.#asked.set(key, path);
    }
    return path;
  }

  #known(key: string): string | undefined {
    return this.#containers.get(key)?.root ?? this.#asked.get(key);
  }

  /** A path of the kernel side's names, up to the root or to where the rest is known. */
  #fromKernel(hierarchy: number, id: bigint): string | undefined {
    let path = '';
    let at = id;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      if (at === ROOT_ID) return path;
      const key = `${hierarchy}:${at}`;
      const above = this.#known(key) ?? this.#heard.get(key);
      if (above !== undefined) return `${above}${path}`;
      const entry = this.#nameOf(hierarchy, at);
      if (entry === undefined) return undefined;
      path = `/${entry.name}${path}`;
      at = entry.parent;
    }
    return undefined;
  }

  /** A scan comes by many that nobody will ask for: they push nothing out that somebody did ask for. */
  #found(key: string, path: string): void {
    if (this.#asked.has(key)) this.#asked.set(key, path);
    else this.#heard.add(key, path);
  }

  #forget(key: string): void {
    this.#asked.delete(key);
    this.#heard.delete(key);
  }

  #appear(key: string, container: ContainerPath, made: boolean): void {
    this.#forget(key);
    this.#containers.set(key, container);
    this.#listener.appeared(key, container, made);
  }

  /** What its last processes did is still to come: its path stays known. */
  #bury(key: string): void {
    const container = this.#containers.get(key);
    if (container === undefined) return;
    this.#containers.delete(key);
    this.#asked.set(key, container.root);
    this.#listener.gone(key, container);
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

/** No path of a cgroup. */
const UNKNOWN = '';

/** The container whose own cgroup a path is. */
function ownerOf(path: string): ContainerPath | undefined {
  const container = containerOf(path);
  return container?.root === path ? container : undefined;
}
