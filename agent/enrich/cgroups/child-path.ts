import type { CgroupMaker } from '../../../record/types.ts';
import { containerOf, DELEGATED } from './container-path.ts';
import { ownerOf } from './unit-path.ts';

/**
 * How long a path becomes, in the escaped form of records. Whoever may make cgroups can nest thousands, and
 * no path has to be shorter than PATH_MAX for that; `/proc/PID/cgroup` shows no longer one either.
 */
const LENGTH_MAX = 4096;
/** The end of a path that is longer; no name has it, because a backslash in a name is escaped. */
const CUT = '/\\...';

/**
 * Returns the path of a cgroup from that of its parent. It ends in CUT if it is too long. It has
 * DELEGATED before the first name that may be anybody's: that of a cgroup whose maker is not privileged
 * or, in a container, not known. A privileged maker vouches for the whole path. What contains the
 * agent's own view of the cgroups (`node`) is the machine and no container. Pure.
 */
export function childPath(parent: string, name: string, maker: CgroupMaker, node = '/'): string {
  if (parent.endsWith(CUT)) return maker === 'privileged' ? plainPath(parent) : parent;
  const path = wholePath(parent, name, maker, node);
  if (path.length <= LENGTH_MAX) return path;
  return (maker === 'privileged' ? plainPath(parent) : parent) + CUT;
}

function wholePath(parent: string, name: string, maker: CgroupMaker, node: string): string {
  const above = parent === '/' ? '' : parent;
  if (maker === 'privileged') return `${plainPath(above)}/${name}`;
  if (above.includes(DELEGATED)) return `${above}/${name}`;
  const isDelegated = maker === 'other' || isInContainer(above, node);
  return isDelegated ? `${above}${DELEGATED}${name}` : `${above}/${name}`;
}

/** Returns a path as the kernel shows it. */
export function plainPath(path: string): string {
  return path.replace(DELEGATED, '/');
}

/**
 * Whether the path of a new cgroup can be believed without looking at the cgroups above it: it names no
 * container and no unit, or may name one. Pure.
 */
export function isBelievable(path: string, maker: CgroupMaker): boolean {
  if (maker === 'privileged' || ownerOf(path) === undefined) return true;
  return maker === 'unknown' && !isInContainer(path.slice(0, path.lastIndexOf('/')), '/');
}

/**
 * Returns a path that cannot be believed so that nothing in it counts; undefined: it may be in a container,
 * and its text says nothing about in which. Pure.
 */
export function claimedPath(path: string): string | undefined {
  return containerOf(path) === undefined ? `${DELEGATED}${path.slice(1)}` : undefined;
}

function isInContainer(path: string, node: string): boolean {
  if (path === node) return false;
  const isBelow = node !== '/' && path.startsWith(`${node}/`);
  return containerOf(isBelow ? path.slice(node.length) : path) !== undefined;
}
