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
import { addBounded } from './bounded-set.ts';
import { type CgroupName, CgroupTree } from './cgroups/cgroup-tree.ts';
import { type ContainerPath, keyOf } from './cgroups/container-path.ts';
import { locate } from './cgroups/locate.ts';
import { Container } from './container.ts';
import type { ContainerMemory } from './container-memory.ts';
import { NO_PODS, type PodSource } from './pods/pod-source.ts';
import { type ResourceAttributes, resourceText } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';
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
/** How many containers are remembered as started, also after their end. */
export const STARTED_MAX = 4096;
/** How often a record that waits for a search looks whether it is over. */
const SEARCHING_MS = 10;

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
  /** Containers whose start is in the journal or was seen, or which existed at first; some have ended. */
  readonly #started: Set<string>;
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
    this.#started = new Set(options.started);
    this.#wayIn = new WayIn(options.hostMountNamespace);
    this.#cgroups = new CgroupTree({
      listener: {
        appeared: (key, path, made) => this.#appeared(key, path, made),
        gone: (key, path) => this.#gone(key, path),
      },
      nameOf: options.cgroupName,
      proc: options.proc,
    });
  }

  /** Scans the existing cgroups; must be called once, and be over before everything else. */
  async start(pods: PodSource): Promise<void> {
    this.#pods = pods;
    await this.#cgroups.scan();
    this.#scanned = true;
  }

  /** Ends what it does by itself; it can still be asked. */
  close(): void {
    this.#cgroups.close();
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

  /**
   * Returns the place of an exec; must be called once for each exec, in their order, also if an earlier
   * run has recorded it.
   */
  place(event: ExecEvent): Place {
    const resolved = this.#resolve(event.invocation.context.cgroup);
    const { container } = resolved;
    if (resolved.outside.cgroup === undefined) this.unknownPlaces += 1;
    if (container === undefined) return resolved.outside;
    const { cause } = event;
    resolved.inside ??= this.#inside(resolved, container, '');
    // Its cause was at the same place or is unknown.
    if (cause.kind === 'untracked' || cause.elsewhere === undefined)
      return this.#wayIn.isStillOutside(event) ? resolved.outside : resolved.inside;
    const { elsewhere } = cause;
    switch (this.#wayIn.of(event, elsewhere, this.#isIn(elsewhere, container))) {
      case 'outside':
        return resolved.outside;
      case 'descendant':
        return resolved.inside;
      default: {
        const entry = this.#started.has(container.key) ? 'exec' : 'start';
        this.#addStarted(container.key);
        return this.#inside(resolved, container, attributeText(PLACE.entry, entry));
      }
    }
  }

  /**
   * Returns how many milliseconds an exec's record should still wait, because its cgroup is searched for,
   * or its container's metadata is not complete yet. Each search and each container has one waiting
   * time, which begins with its first exec; later records do not wait again.
   */
  wait(event: ExecEvent, now: BootTime): number {
    const { cgroup, namespaces } = event.invocation.context;
    const isUnknown = this.#resolve(cgroup).outside.cgroup === undefined;
    if (isUnknown && this.#cgroups.search(cgroup)) return SEARCHING_MS;
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
    const { places, complete } = this.#cgroups.places(ids);
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

  #isIn({ cgroup, mountNamespace }: ObservedPlace, { key }: Container): boolean {
    const { places, complete } = this.#cgroups.places(cgroup);
    const { path } = locate(places, complete);
    if (path !== undefined) return keyOf(path) === key;
    // An unknown cgroup is one that the container had inside its own, unless the process was the host's.
    return !complete && !this.#wayIn.isHost(mountNamespace);
  }

  #containerOf(path: ContainerPath): Container {
    const key = keyOf(path);
    const known = this.#containers.get(key);
    if (known !== undefined) return known;
    if (this.#containers.size >= CONTAINERS_MAX) this.#dropContainer();
    const container = new Container(path, this.#pods, this.#options);
    this.#containers.set(key, container);
    return container;
  }

  /** Drops the oldest one that no event and no scan has shown to exist. */
  #dropContainer(): void {
    for (const [key, { cgroups }] of this.#containers) {
      if (cgroups.size > 0) continue;
      this.#containers.delete(key);
      return;
    }
  }

  #appeared(key: string, path: ContainerPath, made: boolean): void {
    const container = this.#containerOf(path);
    const { cgroups } = container;
    // It is to start, perhaps once more. Its cgroups in other hierarchies are made before it does.
    if (made && ![...cgroups.values()].includes(true)) this.#started.delete(container.key);
    cgroups.set(key, made);
    // The runtime's files exist while it starts the container, and may be removed later.
    if (made) container.changed();
    else if (!this.#scanned && !this.#options.startedIsWhole) this.#addStarted(container.key);
  }

  /** What exists stays. */
  #addStarted(key: string): void {
    const exists = (one: string) => (this.#containers.get(one)?.cgroups.size ?? 0) > 0;
    addBounded(this.#started, key, STARTED_MAX, exists);
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
