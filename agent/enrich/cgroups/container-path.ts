import type { Runtime } from '../runtimes/runtime.ts';
import { RUNTIMES } from '../runtimes/runtimes.ts';

/** A container as the path of its cgroup names it. */
export interface ContainerPath {
  /** 64 hex digits, or what `containerAt` of its runtime returns */
  readonly id: string;
  /** with dashes; for a static pod, the hash of its configuration */
  readonly podUid: string | undefined;
  /** the value of `container.runtime.name`; undefined: the path does not name the runtime */
  readonly runtime: string | undefined;
  /** the container's own cgroup, at or above the path */
  readonly root: string;
  /** Whether a runtime made it for the kubelet, although its cgroup names no pod. */
  readonly isCri?: true;
}

/** Identifies a container: the same id under another pod, or under none, is another container. */
export function keyOf({ podUid, id }: Pick<ContainerPath, 'id' | 'podUid'>): string {
  return podUid === undefined ? id : `${podUid}/${id}`;
}

/** So many names of a path are looked at; no runtime nests a container more deeply. */
const NAMES_MAX = 32;

/** Between two names of a path: those that follow may be chosen by anybody, see childPath(). */
export const DELEGATED = '//';

/**
 * Finds the container that a cgroup belongs to by the cgroup's path; undefined: none. Pure.
 *
 * The outermost pod counts, so that cgroups which a container nests inside its own belong to it,
 * and so that pods are found on a node that is itself a container (kind). Without a pod, the
 * outermost container counts. Nothing below DELEGATED counts.
 */
export function containerOf(path: string): ContainerPath | undefined {
  const names = (path.split(DELEGATED, 1)[0] ?? '').split('/', NAMES_MAX);
  if (names[0] !== '') return undefined;
  const others = names.findIndex((name) => OTHERS.test(name));
  const trusted = others < 0 ? names : names.slice(0, others);
  return podContainer(trusted) ?? plainContainer(trusted);
}

const UID =
  '[0-9a-f]{8}(?<dash>[-_])[0-9a-f]{4}\\k<dash>[0-9a-f]{4}\\k<dash>[0-9a-f]{4}\\k<dash>[0-9a-f]{12}|[0-9a-f]{32}';
/** The kubelet's cgroupfs driver: `pod<uid>` in `kubepods` or in one of its QoS classes. */
const POD_FOLDER = new RegExp(`^pod(?<uid>${UID})$`);
/** Its systemd driver: `kubepods-burstable-pod<uid>.slice`, after the names of the slices above. */
const POD_SLICE = new RegExp(
  `^(?:.+-)?kubepods(?:-burstable|-besteffort)?-pod(?<uid>${UID})\\.slice(?::(?<container>.+))?$`,
);
/**
 * `<id>` or `cri-containerd-<id>.scope`; `cri-containerd:<id>` where runc was given a systemd path.
 */
const CONTAINER = /^(?:(?<prefix>[a-z][a-z-]*[a-z])[-:])?(?<id>[0-9a-f]{64})(?:\.scope)?$/;

/** The names of runtimes by their prefix of the id. */
const BY_PREFIX = new Map(
  RUNTIMES.flatMap(({ name, cgroupPrefixes }) => cgroupPrefixes.map((prefix) => [prefix, name])),
);

/**
 * Every user can make any path in their own session, and so can systemd-nspawn's machines in their
 * cgroups, so nothing below these names a container.
 */
const OTHERS = /^(?:user\.slice|machine-.+\.scope|systemd-nspawn@.+\.service)$/;

/**
 * The cgroups in which runtimes keep their own pods, whose cgroups have ids like those of
 * containers.
 */
const POD_PARENTS = new Set(RUNTIMES.map(({ podParent }) => podParent));

function podContainer(names: readonly string[]): ContainerPath | undefined {
  for (let at = 1; at < names.length; at++) {
    const { uid, container } = podAt(names, at) ?? {};
    if (uid === undefined) continue;
    const podUid = uid.replaceAll('_', '-');
    return container === undefined
      ? named(names, at + 1, names[at + 1] ?? '', podUid)
      : named(names, at, container, podUid);
  }
  return undefined;
}

function plainContainer(names: readonly string[]): ContainerPath | undefined {
  for (let at = 1; at < names.length; at++) {
    // Other cgroups in a pod's cgroup are not containers.
    if (podAt(names, at) !== undefined) return undefined;
    const container = named(names, at, names[at] ?? '', undefined) ?? ofRuntime(names, at);
    if (container === undefined) continue;
    const cri = RUNTIMES.find((one) => isCri(one, names, at));
    if (cri !== undefined) return { ...container, runtime: cri.name, isCri: true };
    if (container.runtime !== undefined) return container;
    const runtime = RUNTIMES.find(({ cgroupParent }) => cgroupParent === names[at - 1]);
    if (runtime !== undefined) return { ...container, runtime: runtime.name };
    const tree = RUNTIMES.find(({ cgroupTree }) => cgroupTree === names[1]);
    if (tree !== undefined) return { ...container, runtime: tree.name };
    // containerd without a prefix: `/<namespace>/<id>`
    if (at === 2 && names[at] === container.id && !POD_PARENTS.has(names[1])) return container;
  }
  return undefined;
}

/** Whether this runtime makes such a cgroup for the kubelet, which has no cgroups for pods. */
function isCri({ cri }: Runtime, names: readonly string[], at: number): boolean {
  // Deeper cgroups are those of services, which may belong to others.
  if (cri === undefined || at > 2) return false;
  return names[at]?.startsWith(`${cri.prefix}-`) || (at === 2 && names[1] === cri.tree);
}

/** The container with a name of its runtime's own making. */
function ofRuntime(names: readonly string[], at: number): ContainerPath | undefined {
  for (const { name: runtime, containerAt } of RUNTIMES) {
    const id = containerAt?.(names, at);
    if (id !== undefined)
      return { id, podUid: undefined, runtime, root: names.slice(0, at + 1).join('/') };
  }
  return undefined;
}

function podAt(
  names: readonly string[],
  at: number,
): { uid?: string; container?: string } | undefined {
  const name = names[at] ?? '';
  const slice = POD_SLICE.exec(name);
  if (slice) return slice.groups;
  const above = names[at - 1];
  const isClass = above === 'burstable' || above === 'besteffort';
  const tree = isClass ? names[at - 2] : above;
  return tree === 'kubepods' ? POD_FOLDER.exec(name)?.groups : undefined;
}

function named(
  names: readonly string[],
  at: number,
  name: string,
  podUid: string | undefined,
): ContainerPath | undefined {
  const { prefix, id } = CONTAINER.exec(name)?.groups ?? {};
  // The monitor of a container (`crio-conmon-<id>.scope`) is not a container.
  if (id === undefined || prefix?.endsWith('conmon')) return undefined;
  const runtime = prefix === undefined ? undefined : BY_PREFIX.get(prefix);
  return { id, podUid, runtime, root: names.slice(0, at + 1).join('/') };
}
