import type { CgroupEvent, CgroupIds } from '../../record/types.ts';

/** So many removals share one look through what is kept, and leave their share of it until then. */
const REMOVED_MAX = 64;

/**
 * Notes the cgroups that are removed. No process is in a removed cgroup, so that nothing happens
 * there any more: what is kept about it serves nobody. Its number may come again.
 */
export class RemovedCgroups {
  readonly #ids = new Map<number, Set<bigint>>();
  #count = 0;

  /** Notes a removal. Returns true if it is time to forget, and then to call clear(). */
  note({ hierarchy, id }: Pick<CgroupEvent, 'hierarchy' | 'id'>): boolean {
    const ids = this.#ids.get(hierarchy);
    if (ids === undefined) this.#ids.set(hierarchy, new Set([id]));
    else ids.add(id);
    this.#count += 1;
    return this.#count >= REMOVED_MAX;
  }

  /** Whether one of the cgroups of a process is removed. */
  has({ v2, memory, pids, memoryHierarchy, pidsHierarchy }: CgroupIds): boolean {
    return this.#has(0, v2) || this.#has(memoryHierarchy, memory) || this.#has(pidsHierarchy, pids);
  }

  clear(): void {
    this.#ids.clear();
    this.#count = 0;
  }

  #has(hierarchy: number, id: bigint): boolean {
    return this.#ids.get(hierarchy)?.has(id) ?? false;
  }
}
