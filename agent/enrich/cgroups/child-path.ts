import type { CgroupMaker } from '../../../record/types.ts';
import { containerOf, DELEGATED } from './container-path.ts';

/**
 * Returns the path of a cgroup from that of its parent. It has DELEGATED before the first name that
 * may be anybody's: that of a cgroup whose maker is not privileged or, in a container, not known. A
 * privileged maker vouches for the whole path. What contains the agent's own view of the cgroups
 * (`node`) is the machine and no container. Pure.
 */
export function childPath(parent: string, name: string, maker: CgroupMaker, node = '/'): string {
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
 * Whether the path of a new cgroup can be believed without looking at the cgroups above it. Pure.
 */
export function isBelievable(path: string, maker: CgroupMaker): boolean {
  if (maker === 'privileged' || containerOf(path) === undefined) return true;
  return maker === 'unknown' && !isInContainer(path.slice(0, path.lastIndexOf('/')), '/');
}

function isInContainer(path: string, node: string): boolean {
  if (path === node) return false;
  const isBelow = node !== '/' && path.startsWith(`${node}/`);
  return containerOf(isBelow ? path.slice(node.length) : path) !== undefined;
}
