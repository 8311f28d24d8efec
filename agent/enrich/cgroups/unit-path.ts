import { type ContainerPath, containerOf, DELEGATED } from './container-path.ts';

/** A unit of systemd on the host, as the path of its cgroup names it. */
export interface UnitPath {
  /** such as `ssh.service`, in the escaped form of records */
  readonly unit: string;
  /** the unit's own cgroup, at or above the path */
  readonly root: string;
  /** Whether it is the scope of a login session, which logind makes below `user.slice`. */
  readonly isSession: boolean;
}

/** What a cgroup belongs to: a container, or on the host a unit. */
export type OwnerPath = ContainerPath | UnitPath;

/** Finds the container or else the unit that a cgroup belongs to; undefined: neither. Pure. */
export function ownerOf(path: string): OwnerPath | undefined {
  return containerOf(path) ?? unitOf(path);
}

/** Tells the two apart. */
export function isUnit(owner: OwnerPath): owner is UnitPath {
  return 'unit' in owner;
}

const UNIT = /^[^/]+\.(?:service|scope)$/;
const SESSION = /^session-[^/]+\.scope$/;
/** So many names of a path are looked at; systemd nests its slices less deeply. */
const NAMES_MAX = 32;

/**
 * Finds the unit of a cgroup outside of containers: the first name from the root that is one. What is
 * below it may be named by its user, as in `user@1000.service`. Nothing below DELEGATED counts.
 */
export function unitOf(path: string): UnitPath | undefined {
  const names = (path.split(DELEGATED, 1)[0] ?? '').split('/', NAMES_MAX);
  const at = names.findIndex((name) => UNIT.test(name));
  const unit = names[at];
  if (unit === undefined) return undefined;
  const isSession = names[1] === 'user.slice' && SESSION.test(unit);
  return { unit, root: names.slice(0, at + 1).join('/'), isSession };
}
