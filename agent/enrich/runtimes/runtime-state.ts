import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { type ContainerState, dockerState, ociState } from './runtime-config.ts';

/** Where container runtimes keep their state, unless told otherwise. */
export const RUNTIME_DIRS: readonly string[] = [
  '/run/containerd',
  '/run/k3s/containerd', // k3s, RKE2
  '/run/k0s/containerd',
  '/var/snap/microk8s/common/run/containerd',
  '/run/containers/storage', // CRI-O
  '/var/lib/containers/storage',
  '/var/lib/docker',
];

/** Far more than a configuration needs, the environment of its process included. */
const MAX_BYTES = 4 << 20;
const NAMESPACES_MAX = 64;

/** containerd's bundles: since 1.3, and before. */
const BUNDLES = ['io.containerd.runtime.v2.task', 'io.containerd.runtime.v1.linux'];

/**
 * What the runtimes' files in `dirs` say about a container, by its id (64 hex digits); undefined:
 * nothing, or nothing readable. Of a file only the names are kept, never arguments or environment.
 */
export function readContainerState(
  id: string,
  dirs: readonly string[],
): ContainerState | undefined {
  for (const dir of dirs) {
    const state = containerd(dir, id) ?? crio(dir, id) ?? docker(dir, id);
    if (state !== undefined) return state;
  }
  return undefined;
}

/** The folders in `dirs` in which containerd makes bundles: one for each of its namespaces. */
export function listBundleFolders(dirs: readonly string[]): string[] {
  return dirs.flatMap((dir) =>
    BUNDLES.flatMap((bundles) =>
      foldersOf(`${dir}/${bundles}`)
        // moby is docker, which has a file of its own that says more.
        .filter((namespace) => namespace !== 'moby')
        .map((namespace) => `${dir}/${bundles}/${namespace}`),
    ),
  );
}

function containerd(dir: string, id: string): ContainerState | undefined {
  for (const folder of listBundleFolders([dir])) {
    const state = ociState(readJson(`${folder}/${id}/config.json`), 'containerd');
    if (state !== undefined) return state;
  }
  return undefined;
}

function crio(dir: string, id: string): ContainerState | undefined {
  return ociState(readJson(`${dir}/overlay-containers/${id}/userdata/config.json`), 'cri-o');
}

function docker(dir: string, id: string): ContainerState | undefined {
  return dockerState(readJson(`${dir}/containers/${id}/config.v2.json`));
}

/** Kubernetes first, since that is asked for most. */
function foldersOf(dir: string): string[] {
  try {
    const names = readdirSync(dir).slice(0, NAMESPACES_MAX);
    return names.includes('k8s.io')
      ? ['k8s.io', ...names.filter((name) => name !== 'k8s.io')]
      : names;
  } catch {
    return [];
  }
}

function readJson(file: string): unknown {
  const text = readFile(file);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A regular file of bounded size; links are not followed, and a pipe holds nobody up. */
function readFile(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) return undefined;
    const buffer = Buffer.allocUnsafe(stat.size);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, stat.size, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
