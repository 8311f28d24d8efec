import type { CgroupPath } from './cgroup-tree.ts';
import { type ContainerPath, containerOf } from './container-path.ts';

/**
 * Chooses among the places of a process, one for each hierarchy: the first one in a container, or
 * else the first one. If a path is missing, the process may be in a container; without a container,
 * there is then no cgroup either, so that a record is not taken for one of the host. Pure.
 */
export function locate(
  places: readonly CgroupPath[],
  complete: boolean,
): { readonly cgroup: string | undefined; readonly path: ContainerPath | undefined } {
  for (const { path, line } of places) {
    const container = containerOf(path);
    if (container !== undefined) return { cgroup: line, path: container };
  }
  return { cgroup: complete ? (places[0]?.line ?? '0::/') : undefined, path: undefined };
}
