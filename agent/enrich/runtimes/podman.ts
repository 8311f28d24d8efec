import { readStoredConfig } from './containers-storage.ts';
import { objectOf, ociShape, ociVariables } from './names.ts';
import type { Runtime } from './runtime.ts';

/**
 * podman: an OCI configuration for each container, in the storage that it shares with CRI-O. Its
 * annotations name nothing, so that it only says which runtime has the container.
 */
export const podman: Runtime = {
  name: 'podman',
  stateDirs: ['/run/containers/storage', '/var/lib/containers/storage'],
  cgroupPrefixes: ['libpod', 'libpod-payload'], // the second with --cgroups=split, as in quadlets
  podParent: 'libpod_parent',

  async readState(stateDir, id, variables) {
    const config = objectOf(await readStoredConfig(stateDir, id, ociShape({}, variables)));
    if (config === undefined) return undefined;
    return {
      runtime: 'podman',
      sandbox: false,
      podNamespace: undefined,
      podName: undefined,
      podUid: undefined,
      name: undefined,
      image: undefined,
      variables: ociVariables(config),
    };
  },
};
