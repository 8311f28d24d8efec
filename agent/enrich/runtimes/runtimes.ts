import { containerd } from './containerd.ts';
import { criO } from './cri-o.ts';
import { docker } from './docker.ts';
import { lxc } from './lxc.ts';
import { nomad } from './nomad.ts';
import { podman } from './podman.ts';
import type { ContainerState, Runtime } from './runtime.ts';

/** Every runtime that the agent knows, in the order in which their files are searched. */
export const RUNTIMES: readonly Runtime[] = [containerd, criO, docker, podman, lxc, nomad];

/** The folders where runtimes keep their state, unless their configuration names others. */
export const RUNTIME_DIRS: readonly string[] = [
  ...new Set(RUNTIMES.flatMap(({ stateDirs }) => stateDirs)),
];

/**
 * Reads what the runtimes' files in `dirs` say about a container; undefined: nothing, or nothing
 * that can be read. Arguments and environment in these files are not kept.
 */
export function readContainerState(
  id: string,
  dirs: readonly string[],
): ContainerState | undefined {
  // Other ids are no names in these files, and may be anything.
  if (!ID.test(id)) return undefined;
  for (const dir of dirs)
    for (const runtime of RUNTIMES) {
      const state = runtime.readState(dir, id);
      if (state !== undefined) return state;
    }
  return undefined;
}

const ID = /^[0-9a-f]{64}$/;

/** Lists the folders in `dirs` in which runtimes make a folder for each running container. */
export function listBundleFolders(dirs: readonly string[]): string[] {
  return dirs.flatMap((dir) => RUNTIMES.flatMap((runtime) => runtime.bundleFolders?.(dir) ?? []));
}
