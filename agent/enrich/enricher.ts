import { PLACE } from '../../record/fields/exec.ts';
import { attributeText } from '../../record/line/attributes.ts';
import type {
  BootTime,
  CgroupEvent,
  CgroupIds,
  ExecEvent,
  ObservedPlace,
  Place,
} from '../../record/types.ts';
import { type CgroupName, type CgroupPath, CgroupTree } from './cgroups/cgroup-tree.ts';
import { type ContainerPath, containerOf, keyOf } from './cgroups/container-path.ts';
import { Container } from './container.ts';
import { NO_PODS, type PodSource } from './pods/pod-source.ts';
import { type ResourceAttributes, resourceText } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';
import { Started } from './started.ts';

export interface EnricherOptions {
  readonly host: ResourceAttributes;
  /** the inode of the host's own mount namespace */
  readonly hostMountNamespace: number;
  /** What the runtime's files say of a container, by its id. */
  readState(id: string): ContainerState | undefined;
  /** Whether no source of pods is asked for: then what the runtime says is complete. */
  readonly runtimeOnly: boolean;
  /** How long a container's first record may wait for its metadata. */
  readonly waitMs: number;
  /** Containers whose start is in the journal; undefined: what is there now has started. */
  readonly started: Iterable<string> | undefined;
  /** What the kernel side keeps of a cgroup; undefined: nothing (any more). */
  cgroupName(hierarchy: number, id: bigint): CgroupName | undefined;
  readonly proc?: string | undefined;
}

/** What the cgroups of a process come to. */
interface Resolved {
  readonly outside: Place;
  readonly container: Container | undefined;
  /** As the container's, and as that of an entry; undefined: to be rendered (again). */
  inside: Place | undefined;
}

/** How long a source may take to answer for the first time. */
const STARTING_MS = 5000;
const RESOLVED_MAX = 8192;
const CONTAINERS_MAX = 4096;
const NAMESPACES_MAX = 64;

/**
 * Says of every exec where it happened: host, container, pod, and how its chain came in. What is
 * known is kept as text, so that a record costs a look-up.
 */
export class Enricher {
  readonly #options: EnricherOptions;
  readonly #cgroups: CgroupTree;
  readonly #containers = new Map<string, Container>();
  readonly #resolved = new Map<CgroupIds, Resolved>();
  readonly #started: Started;
  /** Mount namespaces of the host and of runtimes: whoever is in one of them is not inside. */
  readonly #hosts: Set<number>;
  readonly #hostText: string;
  /** Of records about the journal. */
  readonly hostPlace: Place;
  /** Execs whose cgroup neither the kernel side nor the file system could name. */
  unknownPlaces = 0;
  #pods: PodSource = NO_PODS;
  #scanned = false;
  #began: BootTime | undefined;

  constructor(options: EnricherOptions) {
    this.#options = options;
    this.#hostText = resourceText(options.host);
    this.hostPlace = { resource: this.#hostText, cgroup: undefined, attributes: '' };
    this.#hosts = new Set([options.hostMountNamespace]);
    this.#started = new Started(options.started);
    this.#cgroups = new CgroupTree({
      listener: {
        appeared: (key, path, made) => this.#appeared(key, path, made),
        gone: (key, path) => this.#gone(key, path),
      },
      nameOf: options.cgroupName,
      proc: options.proc,
    });
  }

  /** Looks at the cgroups that are there; to be called once, before anything else. */
  start(pods: PodSource): void {
    this.#pods = pods;
    this.#cgroups.scan();
    this.#scanned = true;
  }

  /** Containers whose start has been recorded and that are still there. */
  get started(): string[] {
    return [...this.#containers.keys()].filter((key) => this.#started.has(key));
  }

  note(event: CgroupEvent): void {
    if (this.#cgroups.note(event)) this.#resolved.clear();
  }

  /** Another look at a pod's containers, since more is known of it now. */
  podChanged(uid: string): void {
    for (const container of this.#containers.values())
      if (container.path.podUid === uid) container.changed();
    this.#resolved.clear();
  }

  /** Where an exec happened; to be called once for each, in their order. */
  place(event: ExecEvent): Place {
    const resolved = this.#resolve(event.invocation.context.cgroup);
    const { container } = resolved;
    if (resolved.outside.cgroup === undefined) this.unknownPlaces += 1;
    if (container === undefined) return resolved.outside;
    const { cause, invocation } = event;
    resolved.inside ??= this.#inside(resolved, container, '');
    // Its cause was at the very same place, or is not known.
    if (cause.kind === 'untracked' || cause.elsewhere === undefined) return resolved.inside;
    switch (this.#wayIn(invocation.context.namespaces.mnt, cause.elsewhere, container)) {
      case 'outside':
        return resolved.outside;
      case 'descendant':
        return resolved.inside;
      default: {
        const entry = this.#started.add(container.key) ? 'start' : 'exec';
        return this.#inside(resolved, container, attributeText(PLACE.entry, entry));
      }
    }
  }

  /**
   * How an exec in a container's cgroup came there. Runtimes start their own init in the cgroup: it
   * is outside as long as it is in their mount namespace. What a container started stays its own,
   * also where it gets out of the container's mount namespace.
   */
  #wayIn(
    mnt: number,
    from: ObservedPlace,
    container: Container,
  ): 'outside' | 'descendant' | 'entry' {
    const same = this.#isIn(from.cgroup, container);
    if (this.#hosts.has(mnt)) return same ? 'descendant' : 'outside';
    if (same) return this.#hosts.has(from.mountNamespace) ? 'entry' : 'descendant';
    if (from.mountNamespace !== mnt) return 'entry';
    // A runtime in a mount namespace of its own, as in a snap.
    if (!this.#started.has(container.key) && this.#hosts.size < NAMESPACES_MAX)
      this.#hosts.add(mnt);
    return 'outside';
  }

  /**
   * How many milliseconds an exec's record may still wait, since its container's metadata is not
   * complete and may soon be. A container has one such time, from its first exec on: whatever comes
   * later is not held up by it again.
   */
  wait(event: ExecEvent, now: BootTime): number {
    const { cgroup, namespaces } = event.invocation.context;
    const { container } = this.#resolve(cgroup);
    if (container === undefined || container.path.podUid === undefined) return 0;
    const { waitMs } = this.#options;
    const { state } = this.#pods;
    if (container.complete || waitMs === 0 || state === 'unreachable') return 0;
    if (this.#hosts.has(namespaces.mnt)) return 0;
    this.#began ??= now;
    container.waitsFrom ??= event.bootTime;
    const ran = millisecondsBetween(this.#began, now);
    // What had gathered before the agent came has not been waited for at all.
    const waited = Math.min(millisecondsBetween(container.waitsFrom, now), ran);
    const left = Math.max(waitMs - waited, state === 'starting' ? STARTING_MS - ran : 0);
    if (left <= 0) return 0;
    container.changed();
    this.#resolved.clear();
    return container.complete ? 0 : left;
  }

  #resolve(ids: CgroupIds): Resolved {
    return this.#resolved.get(ids) ?? this.#find(ids);
  }

  #find(ids: CgroupIds): Resolved {
    const { places, complete } = this.#cgroups.find(ids);
    const { cgroup, path } = locate(places, complete);
    const resolved: Resolved = {
      outside: { resource: this.#hostText, cgroup, attributes: '' },
      container: path === undefined ? undefined : this.#containerOf(path),
      inside: undefined,
    };
    if (this.#resolved.size >= RESOLVED_MAX) this.#resolved.clear();
    if (complete || path !== undefined) this.#resolved.set(ids, resolved);
    return resolved;
  }

  #inside({ outside }: Resolved, container: Container, entry: string): Place {
    const { resource, attributes } = container;
    return { resource, cgroup: outside.cgroup, attributes: attributes + entry };
  }

  #isIn(ids: CgroupIds, { key }: Container): boolean {
    const { places, complete } = this.#cgroups.places(ids);
    const { path } = locate(places, complete);
    return path !== undefined && keyOf(path) === key;
  }

  #containerOf(path: ContainerPath): Container {
    const key = keyOf(path);
    const known = this.#containers.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#containers.keys();
    if (this.#containers.size >= CONTAINERS_MAX && oldest !== undefined)
      this.#containers.delete(oldest);
    const container = new Container(path, this.#pods, this.#options);
    this.#containers.set(key, container);
    return container;
  }

  #appeared(key: string, path: ContainerPath, made: boolean): void {
    const container = this.#containerOf(path);
    container.cgroups.add(key);
    // While its process is being made, the files are there; later they may not be.
    if (made) {
      container.changed();
      this.#started.doubt(container.key);
    } else if (!this.#scanned) {
      this.#started.assume(container.key);
    }
  }

  #gone(key: string, path: ContainerPath): void {
    this.#resolved.clear();
    const container = this.#containers.get(keyOf(path));
    const last = container?.cgroups.delete(key) === true && container.cgroups.size === 0;
    if (last) this.#containers.delete(container.key);
  }
}

/**
 * The first path that names a container; else the first one there is. Where a path is missing it may
 * be a container's: then no cgroup is said, so that the record does not pass for the host's.
 */
function locate(
  places: readonly CgroupPath[],
  complete: boolean,
): { cgroup: string | undefined; path: ContainerPath | undefined } {
  for (const { path, line } of places) {
    const container = containerOf(path);
    if (container !== undefined) return { cgroup: line, path: container };
  }
  return { cgroup: complete ? (places[0]?.line ?? '0::/') : undefined, path: undefined };
}

function millisecondsBetween(from: BootTime, to: BootTime): number {
  return (to.seconds - from.seconds) * 1000 + (to.nanos - from.nanos) / 1e6;
}
