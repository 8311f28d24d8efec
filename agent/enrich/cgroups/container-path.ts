/** A container, as the path of a cgroup names it. */
export interface ContainerPath {
  readonly id: string;
  /** as the cgroup has it, with dashes: of a static pod the hash of its configuration */
  readonly podUid: string | undefined;
  /** as OpenTelemetry names it; undefined: the path does not tell */
  readonly runtime: string | undefined;
  /** the container's own cgroup, at or above the path */
  readonly root: string;
}

/** The same id below another pod's uid, or below none, is another container. */
export function keyOf({ podUid, id }: Pick<ContainerPath, 'id' | 'podUid'>): string {
  return podUid === undefined ? id : `${podUid}/${id}`;
}

/**
 * The container that a cgroup's path lies in; undefined: none. The outermost pod counts, so that what
 * a container nests inside itself stays its own, and a pod inside a node that is itself a container
 * (kind) is found; where there is no pod, the outermost container. Pure.
 */
export function containerOf(path: string): ContainerPath | undefined {
  const names = path.split('/');
  if (names[0] !== '') return undefined;
  return podContainer(names) ?? plainContainer(names);
}

const UID =
  '[0-9a-f]{8}(?<dash>[-_])[0-9a-f]{4}\\k<dash>[0-9a-f]{4}\\k<dash>[0-9a-f]{4}\\k<dash>[0-9a-f]{12}|[0-9a-f]{32}';
/** The cgroupfs driver: `pod<uid>` below `kubepods` or one of its classes of service. */
const POD_FOLDER = new RegExp(`^pod(?<uid>${UID})$`);
/** The systemd driver: `kubepods-burstable-pod<uid>.slice`, with whatever slice is above in front. */
const POD_SLICE = new RegExp(
  `^(?:.+-)?kubepods(?:-burstable|-besteffort)?-pod(?<uid>${UID})\\.slice(?::(?<container>.+))?$`,
);
/** `<id>`, `cri-containerd-<id>.scope`; `cri-containerd:<id>` where runc was given a systemd path. */
const CONTAINER = /^(?:(?<prefix>[a-z][a-z-]*[a-z])[-:])?(?<id>[0-9a-f]{64})(?:\.scope)?$/;

/** By what runtimes put before the id; a monitor (`crio-conmon-…`) is no container. */
const RUNTIMES: Readonly<Record<string, string>> = {
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  docker: 'docker',
  libpod: 'podman',
};

/** Anyone can make any path below a session of their own: no pods there. */
const USERS = 'user.slice';

function podContainer(names: readonly string[]): ContainerPath | undefined {
  for (let at = 1; at < names.length && names[at] !== USERS; at++) {
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
    // What else stands in a pod's cgroup is no container.
    if (podAt(names, at) !== undefined) return undefined;
    const container = named(names, at, names[at] ?? '', undefined);
    const above = names[at - 1];
    if (container === undefined) continue;
    if (container.runtime !== undefined) return container;
    if (above === 'docker') return { ...container, runtime: 'docker' };
    // containerd's own: `/<namespace>/<id>`
    if (at === 2 && names[at] === container.id) return container;
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
  if (id === undefined || prefix?.endsWith('conmon')) return undefined;
  const runtime = prefix === undefined ? undefined : RUNTIMES[prefix];
  return { id, podUid, runtime, root: names.slice(0, at + 1).join('/') };
}
