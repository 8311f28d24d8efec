import type { CgroupPath } from './cgroup-tree.ts';
import type { ContainerPath } from './container-path.ts';
import { isUnit, ownerOf, type UnitPath } from './unit-path.ts';

/** Where a process is; nothing is known if all three are undefined. */
export interface Location {
  /** the line of /proc/PID/cgroup; undefined: not known */
  readonly cgroup: string | undefined;
  readonly container: ContainerPath | undefined;
  /** undefined: it is in a container, or in none, or that is not known */
  readonly unit: UnitPath | undefined;
}

/**
 * Chooses among the places of a process, one for each hierarchy: the first one in a container, or
 * else in a unit, or else the first one. If a path is missing, the process may be in a
 * container; without a container, there is then no cgroup and no unit either, so that a record is not
 * taken for one of the host. Pure.
 */
export function locate(places: readonly CgroupPath[], complete: boolean): Location {
  let inUnit: Location | undefined;
  for (const { path, line } of places) {
    const owner = ownerOf(path);
    if (owner === undefined) continue;
    if (!isUnit(owner)) return { cgroup: line, container: owner, unit: undefined };
    inUnit ??= { cgroup: line, container: undefined, unit: owner };
  }
  if (!complete) return { cgroup: undefined, container: undefined, unit: undefined };
  return inUnit ?? { cgroup: places[0]?.line ?? '0::/', container: undefined, unit: undefined };
}
