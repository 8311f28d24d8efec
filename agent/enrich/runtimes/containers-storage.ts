import { readdir } from 'node:fs/promises';
import type { Members } from '../../kube/json-shape.ts';
import { readJson } from './read-json.ts';

/**
 * Reads these parts of a container's OCI configuration in the storage that CRI-O and podman share:
 * `<driver>-containers/<id>/userdata/config.json`, where the driver is overlay, vfs, btrfs or zfs
 * (github.com/containers/storage, store.go); undefined: there is none.
 */
export async function readStoredConfig(
  stateDir: string,
  id: string,
  shape: Members,
): Promise<unknown> {
  for (const folder of await foldersIn(stateDir)) {
    const config = await readJson(`${stateDir}/${folder}/${id}/userdata/config.json`, shape);
    if (config !== undefined) return config;
  }
  return undefined;
}

const SUFFIX = '-containers';
/** There is one for each driver that was ever used here. */
const FOLDERS_MAX = 8;

async function foldersIn(stateDir: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(stateDir)).filter((name) => name.endsWith(SUFFIX));
    return names.slice(0, FOLDERS_MAX);
  } catch {
    return [];
  }
}
