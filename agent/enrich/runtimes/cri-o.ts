import { TEXT } from '../../kube/json-shape.ts';
import { readStoredConfig } from './containers-storage.ts';
import {
  imageOf,
  KUBELET_LABELS,
  nameOf,
  objectOf,
  ociShape,
  ociVariables,
  podNames,
} from './names.ts';
import type { ContainerState, Runtime } from './runtime.ts';

/** CRI-O: an OCI configuration for each container, in the storage that it shares with podman. */
export const criO: Runtime = {
  name: 'cri-o',
  stateDirs: ['/run/containers/storage', '/var/lib/containers/storage'],
  cgroupPrefixes: ['crio'],
  cri: { prefix: 'crio' },

  readState: async (stateDir, id, variables) =>
    stateIn(await readStoredConfig(stateDir, id, ociShape(ANNOTATIONS, variables))),
};

const CRIO = 'io.kubernetes.cri-o';
const ANNOTATIONS = {
  ...KUBELET_LABELS,
  [`${CRIO}.ContainerType`]: TEXT,
  [`${CRIO}.ImageName`]: TEXT,
};

/**
 * CRI-O mixes a pod's annotations with its own. The keys that are read here are the kubelet's,
 * which CRI-O writes last, so that a pod cannot forge them.
 */
function stateIn(config: unknown): ContainerState | undefined {
  const root = objectOf(config);
  const annotations = objectOf(root?.annotations);
  const type = annotations?.[`${CRIO}.ContainerType`];
  if (root === undefined || annotations === undefined || type === undefined) return undefined;
  const sandbox = type === 'sandbox';
  return {
    runtime: 'cri-o',
    sandbox,
    ...podNames(annotations),
    name: sandbox ? undefined : nameOf(annotations['io.kubernetes.container.name']),
    image: imageOf(annotations[`${CRIO}.ImageName`]),
    variables: ociVariables(root),
  };
}
