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
import { containerAuthority, requestOf, unitAuthority } from './authority/authority.ts';
import { addBounded } from './bounded-set.ts';
import { type CgroupName, CgroupTree } from './cgroups/cgroup-tree.ts';
import { type ContainerPath, keyOf } from './cgroups/container-path.ts';
import { type Location, locate } from './cgroups/locate.ts';
import { isUnit, type OwnerPath, type UnitPath } from './cgroups/unit-path.ts';
import { Container } from './container.ts';
import type { ContainerMemory } from './container-memory.ts';
import { NO_PODS, type PodSource } from './pods/pod-source.ts';
import { type ResourceAttributes, resourceText } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';
import { createUnit, isUnitKey, type Unit } from './unit.ts';
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
  /** The variables in which a container's exec may have the id of the request for it; an earlier one is preferred. */
  readonly execRequestVariables: readonly string[];
  /** Containers and units whose start is in the journal. */
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
  /** undefined: it is in a container, or in none, or that is not known */
  readonly unit: Unit | undefined;
  /** The place in the container, except for an entry; undefined: it is not rendered yet. */
  inside: Place | undefined;
}

/** How long a source may take to answer for the first time. */
const STARTING_MS = 5000;
const RESOLVED_MAX = 8192;
/** The length of the texts of all their cgroups. */
const RESOLVED_LENGTH_MAX = 2 << 20;
/** How many containers there may be, and how many units. */
const OWNERS_MAX = 4096;
/** How many containers and units are remembered as started, also after their end. */
export const STARTED_MAX = 4096;
const FIRST_PROCESS = 1;
/** How often a record that waits for a search looks whether it is over. */
const SEARCHING_MS = 10;

/**
 * Finds the place of every exec: host, unit, container and pod, how its chain entered the container or
 * the unit, and what permitted that. It keeps places as text, so that a record costs one look-up.
 */
export class Enricher {
  readonly #options: EnricherOptions;
  readonly #cgroups: CgroupTree;
  readonly #containers = new Map<string, Container>();
  readonly #units = new Map<string, Unit>();
  readonly #resolved = new Map<CgroupIds, Resolved>();
  #resolvedLength = 0;
  /**
   * Containers and units whose start is in the journal or was seen, or which existed at first; some have
   * ended.
   */
  readonly #started: Set<string>;
  /** Containers and units that have not started as far as is known, and whose start may be lost. */
  readonly #doubtful = new Set<string>();
  #isLosing = false;
  /** Whether that is all units which have started, as it is for containers: 0.1.0 noted none. */
  readonly #startedHasUnits: boolean;
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
    this.#startedHasUnits = options.startedIsWhole && [...this.#started].some(isUnitKey);
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

  /** The existing containers and units whose start is recorded. */
  get started(): string[] {
    const existing = [...this.#containers.keys(), ...this.#units.keys()];
    return existing.filter((key) => this.#started.has(key));
  }

  /** Resolves when the facts about containers are kept for the next run; undefined: they are. */
  get saving(): Promise<void> | undefined {
    return this.#options.memory.saving;
  }

  /**
   * Notes whether execs were lost, until the next call. Then the start of every container and unit that
   * exists, or appears meanwhile, may be one of them.
   */
  noteLosses(areThere: boolean): void {
    this.#isLosing = areThere;
    if (!areThere) return;
    for (const key of [...this.#containers.keys(), ...this.#units.keys()])
      if (!this.#started.has(key)) addBounded(this.#doubtful, key, STARTED_MAX);
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
    if (container === undefined) return undefined;
    // They say whether the container itself sets the variable of a request.
    const isNeeded = this.#hasRequest(event) && !container.hasState;
    if (container.settled && !isNeeded) return undefined;
    return this.#options.reading(container.path.id);
  }

  /** Only of an entry they count. */
  #hasRequest({ cause, environment }: ExecEvent): boolean {
    const { execRequestVariables: names } = this.#options;
    if (cause.kind === 'untracked' || cause.elsewhere === undefined) return false;
    return environment?.variables.some(({ name }) => names.includes(name)) ?? false;
  }

  /**
   * Returns the place of an exec; must be called once for each exec, in their order, also if an earlier
   * run has recorded it.
   */
  place(event: ExecEvent): Place {
    const resolved = this.#resolve(event.invocation.context.cgroup);
    const { container, outside } = resolved;
    if (outside.cgroup === undefined) this.unknownPlaces += 1;
    const { cause } = event;
    // Without it, the cause was at the same place or is unknown.
    const elsewhere = cause.kind === 'untracked' ? undefined : cause.elsewhere;
    if (container === undefined)
      return elsewhere === undefined ? outside : this.#onHost(event, resolved, elsewhere);
    resolved.inside ??= inside(resolved, container, '');
    if (elsewhere === undefined)
      return this.#wayIn.isStillOutside(event) ? outside : resolved.inside;
    switch (this.#wayIn.of(event, elsewhere, this.#isIn(elsewhere, container))) {
      case 'outside':
        return outside;
      case 'descendant':
        return resolved.inside;
      default: {
        const facts = container.facts();
        const request = requestOf(facts, event, this.#options.execRequestVariables);
        // Only a container's first process has this number in its namespace, unless it shares the one of another.
        const isSure = event.vpid === FIRST_PROCESS;
        const entry = this.#begin(container, isSure, request !== undefined);
        const authority = containerAuthority(entry, facts, event.invocation, request);
        return inside(resolved, container, attributeText(PLACE.entry, entry) + authority);
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
    const { cgroup, container, unit: path } = locate(places, complete);
    const unit = path && this.#unitOf(path);
    const resolved: Resolved = {
      outside: { resource: this.#hostText, cgroup, attributes: unit?.attributes ?? '' },
      container: container && this.#containerOf(container),
      unit,
      inside: undefined,
    };
    if (complete || container !== undefined) this.#keep(ids, resolved, cgroup?.length ?? 0);
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

  /** The place of an exec outside of containers whose cause ran elsewhere. */
  #onHost(event: ExecEvent, { outside, unit }: Resolved, { cgroup }: ObservedPlace): Place {
    if (unit === undefined) return outside;
    const from = this.#locate(cgroup);
    // Nobody knows any more where its cause was.
    if (from.cgroup === undefined || from.unit?.root === unit.key) return outside;
    const entry = unit.path.isSession ? 'session' : this.#begin(unit);
    const text = attributeText(PLACE.entry, entry) + unitAuthority(unit.path, event);
    return { ...outside, attributes: outside.attributes + text };
  }

  #isIn({ cgroup, mountNamespace }: ObservedPlace, { key }: Container): boolean {
    const { container, cgroup: line } = this.#locate(cgroup);
    if (container !== undefined) return keyOf(container) === key;
    // An unknown cgroup is one that the container had inside its own, unless the process was the host's.
    return line === undefined && !this.#wayIn.isHost(mountNamespace);
  }

  #locate(ids: CgroupIds): Location {
    const { places, complete } = this.#cgroups.places(ids);
    return locate(places, complete);
  }

  /**
   * Notes an entry of a container or unit, and returns which one it is. It is no start where that may be
   * lost, unless it surely is the first process, and none where a request asked for it.
   */
  #begin({ key }: Container | Unit, isSure = false, isRequest = false): 'start' | 'exec' {
    const mayBeLost = !isSure && (this.#isLosing || this.#doubtful.has(key));
    const entry = this.#started.has(key) || mayBeLost || isRequest ? 'exec' : 'start';
    this.#doubtful.delete(key);
    this.#addStarted(key);
    return entry;
  }

  #containerOf(path: ContainerPath): Container {
    const known = this.#containers.get(keyOf(path));
    return known ?? addOwner(this.#containers, new Container(path, this.#pods, this.#options));
  }

  #unitOf(path: UnitPath): Unit {
    return this.#units.get(path.root) ?? addOwner(this.#units, createUnit(path));
  }

  #appeared(key: string, path: OwnerPath, made: boolean): void {
    const owner = isUnit(path) ? this.#unitOf(path) : this.#containerOf(path);
    const { cgroups } = owner;
    // It is to start, perhaps once more.
    if (made && (isUnit(path) ? isUnitMade : isContainerMade)(key, cgroups))
      this.#forgetStart(owner.key);
    cgroups.set(key, made);
    // The runtime's files exist while it starts the container, and may be removed later.
    if (made && owner instanceof Container) owner.changed();
    const isWhole = isUnit(path) ? this.#startedHasUnits : this.#options.startedIsWhole;
    if (!made && !this.#scanned && !isWhole) this.#addStarted(owner.key);
  }

  #forgetStart(key: string): void {
    this.#started.delete(key);
    this.#doubtful.delete(key);
  }

  /** What exists stays. */
  #addStarted(key: string): void {
    const exists = (one: string) => {
      const owner = isUnitKey(one) ? this.#units.get(one) : this.#containers.get(one);
      return (owner?.cgroups.size ?? 0) > 0;
    };
    addBounded(this.#started, key, STARTED_MAX, exists);
  }

  #gone(key: string, path: OwnerPath): void {
    if (isUnit(path)) {
      removeCgroup(this.#units, path.root, key);
      return;
    }
    this.#forgetPlaces();
    removeCgroup(this.#containers, keyOf(path), key);
  }
}

/** A container's cgroups in other hierarchies are made before it starts. */
function isContainerMade(_: string, cgroups: ReadonlyMap<string, boolean>): boolean {
  return ![...cgroups.values()].includes(true);
}

/** systemd makes a unit's cgroup in the unified hierarchy, if there is one, and others when it needs them. */
function isUnitMade(key: string, cgroups: ReadonlyMap<string, boolean>): boolean {
  if (key.startsWith(UNIFIED)) return true;
  return cgroups.size === 0;
}

/** The keys of cgroups in the unified hierarchy begin with it. */
const UNIFIED = '0:';

function inside({ outside }: Resolved, container: Container, more: string): Place {
  const { resource, attributes } = container;
  return { resource, cgroup: outside.cgroup, attributes: attributes + more };
}

/** Adds a container or unit; if there are too many, the oldest leaves that is not known to exist. */
function addOwner<Owner extends Container | Unit>(owners: Map<string, Owner>, owner: Owner): Owner {
  if (owners.size >= OWNERS_MAX)
    for (const [key, { cgroups }] of owners) {
      if (cgroups.size > 0) continue;
      owners.delete(key);
      break;
    }
  owners.set(owner.key, owner);
  return owner;
}

/** Removes a cgroup of a container or unit, which is gone with the last one. */
function removeCgroup(owners: Map<string, Container | Unit>, owner: string, cgroup: string): void {
  const { cgroups } = owners.get(owner) ?? {};
  if (cgroups?.delete(cgroup) && cgroups.size === 0) owners.delete(owner);
}

function millisecondsBetween(from: BootTime, to: BootTime): number {
  return (to.seconds - from.seconds) * 1000 + (to.nanos - from.nanos) / 1e6;
}
