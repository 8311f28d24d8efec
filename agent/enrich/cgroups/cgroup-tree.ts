import type { CgroupEvent, CgroupIds, CgroupMaker } from '../../../record/types.ts';
import { BoundedPaths } from './bounded-paths.ts';
import {
  type CgroupFolder,
  listFolders,
  ROOT_ID,
  readControllers,
  readRoots,
  type Visited,
} from './cgroup-files.ts';
import { childPath, claimedPath, isBelievable, plainPath } from './child-path.ts';
import { Search } from './search.ts';
import { isUnit, type OwnerPath, ownerOf } from './unit-path.ts';

/**
 * A scan keeps room for twice the existing containers and units plus this number. If there are more,
 * their removals were lost.
 */
const MORE_MAX = 1024;
/** How many existing containers and units are followed; others are known by their paths alone. */
const OWNERS_MAX = 4096;
/** How many paths are kept that only a scan could give again. */
const LASTING_MAX = 4096;
/** How many paths are kept that the kernel side's table, which is larger, gives again. */
const PASSING_MAX = 512;
/** The kernel side's table has no more entries, so that no way up is longer. */
const DEPTH_MAX = 8192;
/**
 * On a long way up, every so many levels the path is kept, or that the way ends nowhere: the next cgroup
 * far below costs no more look-ups than this.
 */
const STRIDE = 32;
const DEAD_ENDS_MAX = 1024;

/** Receives the own cgroups of containers and units; `key` consists of the hierarchy and the id. */
export interface CgroupListener {
  /** `made`: the cgroup was just created, and not found by a scan. */
  appeared(key: string, owner: OwnerPath, made: boolean): void;
  gone(key: string, owner: OwnerPath): void;
}

/** A cgroup in the kernel side's table, which keeps removed ones as well. */
export interface CgroupName {
  /** the id of its parent in the same hierarchy; 0: it is the root */
  readonly parent: bigint;
  /** its own name in the escaped form of records */
  readonly name: string;
  readonly maker: CgroupMaker;
}

/** Where the tree gets names from, and whom it notifies. */
export interface CgroupTreeOptions {
  readonly listener: CgroupListener;
  /** Looks up the kernel side's table; undefined: it does not have the cgroup, or no longer. */
  nameOf(hierarchy: number, id: bigint): CgroupName | undefined;
  readonly proc?: string | undefined;
  /** a clock in milliseconds */
  readonly now?: () => number;
}

/** The place of a process in one hierarchy. */
export interface CgroupPath {
  /** See childPath(). */
  readonly path: string;
  /** the line of /proc/PID/cgroup */
  readonly line: string;
}

/**
 * Paths of cgroups by hierarchy and id. They come from four sources, in this order: existing
 * containers and units, remembered paths, the kernel side's table of names, which survives lost events and
 * restarts, and a scan of the file system. The memory for paths is bounded, whatever cgroups others
 * create.
 */
export class CgroupTree {
  /** the own cgroups of containers and units that exist */
  readonly #owners = new Map<string, OwnerPath>();
  /** cgroups in which processes ran, and those of scans that were not looked up yet */
  readonly #asked = new BoundedPaths(LASTING_MAX);
  readonly #found = new BoundedPaths(LASTING_MAX);
  /** cgroups of events that were not looked up yet, and own cgroups that are gone */
  readonly #made = new BoundedPaths(PASSING_MAX);
  readonly #buried = new BoundedPaths(PASSING_MAX);
  /** cgroups of events whose path says nothing about where they are, and which nothing else may name */
  readonly #claimed = new BoundedPaths(PASSING_MAX);
  /** cgroups high above those in which processes ran */
  readonly #passed = new BoundedPaths(LASTING_MAX);
  /** cgroups whose path is not known, with the id of the one above them that the table does not have */
  readonly #deadEnds = new Map<string, bigint>();
  /** the controllers of each hierarchy, as in the middle field of /proc/PID/cgroup */
  #controllers = new Map<number, string>();
  /** what is mounted of each hierarchy, if it is not the root */
  readonly #nodes = new Map<number, string>();
  readonly #listener: CgroupListener;
  readonly #nameOf: CgroupTreeOptions['nameOf'];
  readonly #proc: string;
  readonly #search: Search;
  /** During a scan: the own cgroups that it found, or that were made since it began. */
  #seen: Set<string> | undefined;
  #ownersMax = MORE_MAX;
  /** Whether events were lost that no scan has made up for. */
  #isBehind = false;

  /** The tree is empty before its first scan. */
  constructor({ listener, nameOf, proc = '/proc', now }: CgroupTreeOptions) {
    this.#listener = listener;
    this.#nameOf = nameOf;
    this.#proc = proc;
    this.#search = new Search(() => this.#scan(), now ?? (() => performance.now()));
  }

  /** Scans the hierarchies that events name, in pieces; no scan may be under way. */
  scan(): Promise<void> {
    return this.#search.run();
  }

  /** A container that a complete scan does not find is gone. */
  *#scan(): Generator<void> {
    const wasBehind = this.#isBehind;
    let isComplete = false;
    // Events that are lost during the scan need another one.
    this.#isBehind = false;
    try {
      yield* this.#walk();
      isComplete = true;
    } finally {
      this.#seen = undefined;
      this.#isBehind ||= wasBehind && !isComplete;
    }
  }

  *#walk(): Generator<void> {
    this.#controllers = readControllers(`${this.#proc}/self/cgroup`);
    const seen = new Set<string>();
    const whole = new Set<string>();
    this.#seen = seen;
    for (const { hierarchy, point, path, isRoot } of readRoots(this.#proc, this.#controllers)) {
      if (isRoot) whole.add(`${hierarchy}`);
      this.#nodes.set(hierarchy, path);
      yield* listFolders(point, path, (folder) => this.#visit(hierarchy, folder, seen));
    }
    for (const key of this.#owners.keys())
      if (!seen.has(key) && whole.has(key.slice(0, key.indexOf(':')))) this.#bury(key);
    this.#ownersMax = 2 * this.#owners.size + MORE_MAX;
  }

  #visit(hierarchy: number, folder: CgroupFolder, seen: Set<string>): Visited {
    const key = `${hierarchy}:${folder.id}`;
    const path = this.#pathOf(hierarchy, folder);
    const owner = ownedBy(path);
    // A cgroup of version 1 can be renamed, which no event reports.
    if (this.#owners.get(key)?.root !== path && this.#bury(key)) this.#forget(key);
    if (owner === undefined) this.#note(key, path);
    else seen.add(key);
    if (owner !== undefined && !this.#owners.has(key)) this.#appear(key, owner, false);
    return { path, isContainer: owner !== undefined && !isUnit(owner) };
  }

  /**
   * Notes the creation or the removal of a cgroup; returns whether its id named another cgroup so
   * far.
   */
  note(event: CgroupEvent): boolean {
    this.#isBehind ||= event.isAfterLoss === true;
    this.#catchUp();
    if (event.hierarchy !== 0 && !this.#controllers.has(event.hierarchy)) return false;
    const key = `${event.hierarchy}:${event.id}`;
    const made = event.kind === 'cgroup_mkdir' ? event.path : undefined;
    // A reused id belonged to a cgroup that was removed, even if the event of its removal was lost.
    if (this.#owners.get(key)?.root !== made) this.#bury(key);
    if (event.kind === 'cgroup_rmdir') return false;
    const { path, maker } = event;
    const isReused = this.#asked.has(key) || this.#buried.has(key);
    this.#forget(key);
    // The kernel side could not read the path; its table or a scan will provide it.
    if (path === '') return isReused;
    if (!isBelievable(path, maker)) {
      const claimed = claimedPath(path);
      if (claimed !== undefined) this.#claimed.set(key, claimed);
      return isReused;
    }
    const owner = ownedBy(path);
    if (owner === undefined) this.#made.set(key, path);
    else this.#appear(key, owner, true);
    return isReused;
  }

  /** Scans if removals were lost, or any other event. */
  #catchUp(): void {
    const isFull = this.#owners.size >= OWNERS_MAX;
    const isOverfull = this.#owners.size > this.#ownersMax && this.#search.isIdle;
    if (isOverfull || ((isFull || this.#isBehind) && this.#search.isAllowed)) this.#search.begin();
  }

  /**
   * The places of a process: in the unified hierarchy, then in those of the memory and the pids
   * controller, without those where it is in the root. `complete`: no path is missing.
   */
  places(ids: CgroupIds): { readonly places: readonly CgroupPath[]; readonly complete: boolean } {
    const { places, unknown } = this.#look(ids);
    return { places, complete: unknown.length === 0 };
  }

  /**
   * Begins a scan if a path of a process is unknown, which may still run, and a scan is allowed. Returns
   * whether the process's record should wait for a scan.
   */
  search(ids: CgroupIds): boolean {
    const { unknown } = this.#look(ids);
    return unknown.length > 0 && this.#search.request(unknown);
  }

  /** Ends a scan that is under way; no other one begins. */
  close(): void {
    this.#search.stop();
  }

  #look(ids: CgroupIds): { readonly places: CgroupPath[]; readonly unknown: string[] } {
    const places: CgroupPath[] = [];
    const unknown: string[] = [];
    const look = (hierarchy: number, id: bigint) => {
      const path = this.#path(hierarchy, id);
      const controllers = this.#controllers.get(hierarchy) ?? '';
      if (path === undefined) unknown.push(`${hierarchy}:${id}`);
      else if (path !== '/')
        places.push({ path, line: `${hierarchy}:${controllers}:${plainPath(path)}` });
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
    const path = this.#heard(key) ?? this.#fromKernel(hierarchy, id) ?? this.#claimed.get(key);
    if (path !== undefined) {
      this.#claimed.delete(key);
      this.#made.delete(key);
      this.#found.delete(key);
      this.#passed.delete(key);
      this.#asked.set(key, path);
    }
    return path;
  }

  #known(key: string): string | undefined {
    return this.#owners.get(key)?.root ?? this.#asked.get(key) ?? this.#buried.get(key);
  }

  #heard(key: string): string | undefined {
    return this.#made.get(key) ?? this.#found.get(key) ?? this.#passed.get(key);
  }

  /** Builds a path from the names in the kernel side's table, up to the root or to a known path. */
  #fromKernel(hierarchy: number, id: bigint): string | undefined {
    const below: Named[] = [];
    for (let at = id; below.length < DEPTH_MAX; ) {
      const key = `${hierarchy}:${at}`;
      const path = at === ROOT_ID ? '/' : (this.#known(key) ?? this.#heard(key));
      if (path !== undefined) return this.#descend(path, below, this.#nodes.get(hierarchy));
      const entry = this.#isDeadEnd(hierarchy, key) ? undefined : this.#nameOf(hierarchy, at);
      if (entry === undefined) {
        this.#noteDeadEnd(below, this.#deadEnds.get(key) ?? at);
        return undefined;
      }
      below.push({ ...entry, key });
      at = entry.parent;
    }
    return undefined;
  }

  /** Builds the path of the first of `below`; each is in the one behind it. */
  #descend(from: string, below: readonly Named[], node: string | undefined): string {
    return below.reduceRight((above, { key, name, maker }, level) => {
      const path = childPath(above, name, maker, node);
      if (isKept(level)) this.#passed.set(key, path);
      return path;
    }, from);
  }

  /** Whether the way up from a cgroup still ends where it did. */
  #isDeadEnd(hierarchy: number, key: string): boolean {
    const end = this.#deadEnds.get(key);
    if (end === undefined) return false;
    const above = `${hierarchy}:${end}`;
    const isKnown = (this.#known(above) ?? this.#heard(above)) !== undefined;
    if (!isKnown && this.#nameOf(hierarchy, end) === undefined) return true;
    this.#deadEnds.delete(key);
    return false;
  }

  #noteDeadEnd(below: readonly Named[], end: bigint): void {
    if (this.#deadEnds.size + below.length / STRIDE >= DEAD_ENDS_MAX) this.#deadEnds.clear();
    for (const [level, { key }] of below.entries()) if (isKept(level)) this.#deadEnds.set(key, end);
  }

  /** Returns the path of a cgroup that a scan finds. */
  #pathOf(hierarchy: number, { id, above, name, isDelegated }: CgroupFolder): string {
    if (name === undefined) return above;
    const key = `${hierarchy}:${id}`;
    const maker = isDelegated ? 'other' : (this.#nameOf(hierarchy, id)?.maker ?? 'unknown');
    const path = childPath(above, name, maker, this.#nodes.get(hierarchy));
    // The kernel side's table may have forgotten who made it.
    const before = this.#known(key) ?? this.#heard(key);
    return before !== undefined && plainPath(before) === plainPath(path) ? before : path;
  }

  /** Most cgroups of a scan are never asked for, so that they must not replace any that were. */
  #note(key: string, path: string): void {
    if (this.#search.find(key)) {
      this.#asked.set(key, path);
      return;
    }
    const kept = [this.#asked, this.#found, this.#made, this.#passed].find((one) => one.has(key));
    if (kept === undefined) this.#found.add(key, path);
    else kept.set(key, path);
  }

  #forget(key: string): void {
    this.#search.find(key);
    for (const paths of [this.#asked, this.#found, this.#made, this.#buried, this.#passed])
      paths.delete(key);
    this.#claimed.delete(key);
  }

  #appear(key: string, owner: OwnerPath, made: boolean): void {
    this.#forget(key);
    if (this.#owners.size >= OWNERS_MAX) {
      if (made) this.#made.set(key, owner.root);
      else this.#found.add(key, owner.root);
      return;
    }
    this.#owners.set(key, owner);
    this.#seen?.add(key);
    this.#listener.appeared(key, owner, made);
  }

  /**
   * Keeps the path of a removed cgroup, because events of its last processes may follow; returns
   * whether it was a container's or a unit's own.
   */
  #bury(key: string): boolean {
    const owner = this.#owners.get(key);
    if (owner === undefined) return false;
    this.#owners.delete(key);
    this.#buried.set(key, owner.root);
    this.#listener.gone(key, owner);
    return true;
  }
}

interface Named extends CgroupName {
  readonly key: string;
}

/** Whether something is kept of a cgroup so many levels above. */
function isKept(level: number): boolean {
  return level > 0 && level % STRIDE === 0;
}

/** The container or unit whose own cgroup has this path; undefined: none. */
function ownedBy(path: string): OwnerPath | undefined {
  const owner = ownerOf(path);
  return owner?.root === path ? owner : undefined;
}
