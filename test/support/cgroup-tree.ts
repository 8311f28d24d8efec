import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type CgroupListener,
  CgroupTree,
  type CgroupTreeOptions,
} from '../../agent/enrich/cgroups/cgroup-tree.ts';
import type { CgroupIds } from '../../record/types.ts';

const NOBODY: CgroupListener = { appeared: () => {}, gone: () => {} };

/** A tree that has scanned its hierarchies, on a kernel side with these names. */
export async function treeOf(options: Partial<CgroupTreeOptions> = {}): Promise<CgroupTree> {
  const tree = new CgroupTree({ listener: NOBODY, nameOf: () => undefined, ...options });
  await tree.scan();
  return tree;
}

/** Finds the places of a process as for its record, which waits for a search. */
export async function find(tree: CgroupTree, ids: CgroupIds) {
  while (tree.search(ids)) await turn();
  return tree.places(ids);
}

/** The ids of a process that is in the root of the other hierarchies. */
export function idsOf(v2: bigint): CgroupIds {
  return { v2, memory: 1n, pids: 1n, memoryHierarchy: 0, pidsHierarchy: 0 };
}

/** The name of a container's own cgroup. */
export function scopeOf(name: string): string {
  return `docker-${createHash('sha256').update(name).digest('hex')}.scope`;
}
