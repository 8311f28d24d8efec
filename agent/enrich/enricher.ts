import { PLACE } from '../../record/fields/exec.ts';
import { attributeText } from '../../record/line/attributes.ts';
import type { BootTime, CgroupEvent, CgroupIds, ExecEvent, Place } from '../../record/types.ts';
import { type CgroupName, CgroupTree } from './cgroups/cgroup-tree.ts';
import { type ContainerPath, keyOf } from './cgroups/container-path.ts';
import { locate } from './cgroups/locate.ts';
import { Container } from './container.ts';
import type { ContainerMemory } from './container-memory.ts';
import { NO_PODS, type PodSource } from './pods/pod-source.ts';
import { type ResourceAttributes, resourceText } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';
import { StartedContainers } from './started-containers.ts';
import { WayIn } from './way-in.ts';

/** What enrichment knows from the beginning, and where it asks. */
export interface EnricherOptions {
  readonly host: ResourceAttributes;
  /** the inode of the host's own mount namespace */
  readonly hostMountNamespace: number;
  /** What the runtimes’ files say about a container, as far as it is known; the rest is read. */
  readState(id: string): ContainerState | undefined;
  /** Resolves after a bounded time, when they are read if possible; undefined: they are not being read. */
  reading(id: string): Promise<void> | undefined;
  /** Whether there is no source of pods; metadata is then complete with the runtime’s facts. */
  readonly runtimeOnly: boolean;
  /** How long a container's first record may wait for its metadata. */
  readonly waitMs: number;
  /** Containers whose start is in the journal. */
  readonly started: Iterable<string>;
  /** Whether those are all that have started; otherwise, those that exist now count as started. */
  readonly startedIsWhole: boolean;
  /** The facts that an earlier run knew about containers. */
  readonly memory: ContainerMemory;
  /** Looks up the kernel side’s table of cgroups; undefined: it does not have the cgroup. */
  cgroupName(hierarchy: number, id: bigint): CgroupName | undefined;
  readonly proc?: string | undefined;
}

/** The places that follow from the cgroups of a process. */
interface Resolved {
  readonly outside: Place;
  readonly container: Container | undefined;
  /** The place in the container, except for an entry; undefined: it is not rendered yet. */
  inside: Place | undefined;
}

/** How long a source may take to answer for the first time. */
const STARTING_MS = 5000;
const RESOLVED_MAX = 8192;
/** The length of the texts of all their cgroups. */
const RESOLVED_LENGTH_MAX = 2 << 20;
const CONTAINERS_MAX = 4096;

/**
 * Finds the place of every exec: host, container and pod, and how its chain entered the container.
 * It keeps places as text, so that a record costs one look-up.
 */
export class Enricher {
  readonly #options: EnricherOptions;
  readonly #cgroups: CgroupTree;
  readonly #containers = new Map<string, Container>();
  readonly #resolved = new Map<CgroupIds, Resolved>();
  #resolvedLength = 0;
  readonly #started: StartedContainers;
  readonly #wayIn: WayIn;
  readonly #hostText: string;
  /** The place of records about the journal. */
  readonly hostPlace: Place;
  /** The number of execs whose cgroup neither the kernel side nor the file system could name. */
  unknownPlaces = 0;
  #pods: PodSource = NO_PODS;
  #scanned = false;
  #began: BootTime | undefined;

  constructor(options: EnricherOptions) {
    this.#options = options;
    this.#hostText = resourceText(options.host);
    this.hostPlace = { resource: this.#hostText, cgroup: undefined, attributes: '' };
    this.#started = new StartedContainers(options.started, options.startedIsWhole);
    this.#wayIn = new WayIn(options.hostMountNamespace, this.#started);
    this.#cgroups = new CgroupTree({
      listener: {
        appeared: (key, path, made) => this.#appeared(key, path, made),
        gone: (key, path) => this.#gone(key, path),
      },
      nameOf: options.cgroupName,
      proc: options.proc,
    });
  }

  /** Scans the existing cgroups; must be called once, before everything else. */
  start(pods: PodSource): void {
    this.#pods = pods;
    this.#cgroups.scan();
    this.#scanned = true;
  }

  /** The existing containers whose start is recorded. */
  get started(): string[] {
    return [...this.#containers.keys()].filter((key) => this.#started.has(key));
  }

  /** Resolves when the facts about containers are kept for the next run; undefined: they are. */
  get saving(): Promise<void> | undefined {
    return this.#options.memory.saving;
  }

  /** Notes the creation or the removal of a cgroup. */
  note(event: CgroupEvent): void {
    if (this.#cgroups.note(event)) this.#forgetPlaces();
  }

  /** Renders a pod's containers again, because its metadata has changed. */
  podChanged(uid: string): void {
    for (const container of this.#containers.values())
      if (container.podUid === uid) container.changed();
    this.#forgetPlaces();
  }

  /** Renders a container again, because its runtime's files are read. */
  stateKnown(id: string): void {
    for (const container of this.#containers.values())
      if (container.path.id === id) container.changed();
    this.#forgetPlaces();
  }

  /**
   * Resolves after a bounded time, when the files about the container of an exec are read if possible;
   * undefined: its record can be written.
   */
  reading(event: ExecEvent): Promise<void> | undefined {
    const { container } = this.#resolve(event.invocation.context.cgroup);
    if (container === undefined || container.settled) return undefined;
    return this.#options.reading(container.path.id);
  }

  /** Returns the place of an exec; must be called once for each exec, in their order. */
  place(event: ExecEvent): Place {
    const resolved = this.#resolve(event.invocation.context.cgroup);
    const { container } = resolved;
    if (resolved.outside.cgroup === undefined) this.unknownPlaces += 1;
    if (container === undefined) return resolved.outside;
    const { cause, invocation } = event;
    resolved.inside ??= this.#inside(resolved, container, '');
    const { mnt } = invocation.context.namespaces;
    // Its cause was at the same place or is unknown.
    if (cause.kind === 'untracked' || cause.elsewhere === undefined)
      return this.#wayIn.isStillOutside(mnt, event) ? resolved.outside : resolved.inside;
    const isSame = this.#isIn(cause.elsewhere.cgroup, container);
    switch (this.#wayIn.of(mnt, cause.elsewhere, isSame, container.key)) {
      case 'outside':
        this.#wayIn.noteOutside(event);
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
   * Returns how many milliseconds an exec's record should still wait, because its container's
   * metadata is not complete yet. Each container has one waiting time, which begins with its first
   * exec; later records do not wait again.
   */
  wait(event: ExecEvent, now: BootTime): number {
    const { cgroup, namespaces } = event.invocation.context;
    const { container } = this.#resolve(cgroup);
    if (container === undefined || container.settled || container.podUid === undefined) return 0;
    const { waitMs } = this.#options;
    const { state } = this.#pods;
    if (waitMs === 0 || state === 'unreachable') return 0;
    if (this.#wayIn.isHost(namespaces.mnt)) return 0;
    this.#began ??= now;
    container.waitsFrom ??= event.bootTime;
    const ran = millisecondsBetween(this.#began, now);
    // The time before the agent's start does not count as waiting.
    const waited = Math.min(millisecondsBetween(container.waitsFrom, now), ran);
    const left = Math.max(waitMs - waited, state === 'starting' ? STARTING_MS - ran : 0);
    if (left <= 0) return 0;
    container.changed();
    this.#forgetPlaces();
    return container.settled ? 0 : left;
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
    if (complete || path !== undefined) this.#keep(ids, resolved, cgroup?.length ?? 0);
    return resolved;
  }

  #keep(ids: CgroupIds, resolved: Resolved, length: number): void {
    const isFull = this.#resolvedLength + length > RESOLVED_LENGTH_MAX;
    if (isFull || this.#resolved.size >= RESOLVED_MAX) this.#forgetPlaces();
    this.#resolved.set(ids, resolved);
    this.#resolvedLength += length;
  }

  #forgetPlaces(): void {
    this.#resolved.clear();
    this.#resolvedLength = 0;
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
    // The runtime's files exist while it starts the container, and may be removed later.
    if (made) {
      container.changed();
      this.#started.doubt(container.key);
    } else if (!this.#scanned) {
      this.#started.assume(container.key);
    }
  }

  #gone(key: string, path: ContainerPath): void {
    this.#forgetPlaces();
    const container = this.#containers.get(keyOf(path));
    const last = container?.cgroups.delete(key) === true && container.cgroups.size === 0;
    if (last) this.#containers.delete(container.key);
  }
}

function millisecondsBetween(from: BootTime, to: BootTime): number {
  return (to.seconds - from.seconds) * 1000 + (to.nanos - from.nanos) / 1e6;
}
