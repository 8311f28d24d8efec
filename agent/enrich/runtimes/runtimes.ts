import { containerd } from './containerd.ts';
import { criO } from './cri-o.ts';
import { docker } from './docker.ts';
import { lxc } from './lxc.ts';
import { nomad } from './nomad.ts';
import { podman } from './podman.ts';
import type { Bundles, ContainerState, Runtime } from './runtime.ts';

/** Every runtime that the agent knows, in the order in which their files are searched. */
export const RUNTIMES: readonly Runtime[] = [containerd, criO, docker, podman, lxc, nomad];

/** The folders where runtimes keep their state, unless their configuration names others. */
export const RUNTIME_DIRS: readonly string[] = [
  ...new Set(RUNTIMES.flatMap(({ stateDirs }) => stateDirs)),
];

/**
 * Reads what the runtimes' files in `dirs` say about a container; undefined: nothing, or nothing
 * that can be read. Arguments and environment in these files are not kept, but for the names of those
 * of `variables` that are set.
 */
export async function readContainerState(
  id: string,
  dirs: readonly string[],
  variables: readonly string[],
): Promise<ContainerState | undefined> {
  if (!hasFiles(id)) return undefined;
  for (const dir of dirs)
    for (const runtime of RUNTIMES) {
      const state = await runtime.readState(dir, id, variables);
      if (state !== undefined) return state;
    }
  return undefined;
}

/** Whether the runtimes have files about containers with such an id; others may be anything. */
export function hasFiles(id: string): boolean {
  return /^[0-9a-f]{64}$/.test(id);
}

/** A folder in which a runtime makes a bundle for each running container. */
export interface BundleFolder {
  readonly folder: string;
  readonly readNew: Bundles['readNew'];
}

/** Lists the folders of bundles in `dirs`. */
export async function listBundleFolders(dirs: readonly string[]): Promise<BundleFolder[]> {
  const found: BundleFolder[] = [];
  for (const dir of dirs)
    for (const { bundles } of RUNTIMES) {
      if (bundles === undefined) continue;
      const { folders, readNew } = bundles;
      for (const folder of await folders(dir)) found.push({ folder, readNew });
    }
  return found;
}
