import { readdir } from 'node:fs/promises';
import { TEXT } from '../../kube/json-shape.ts';
import { imageOf, nameOf, objectOf, ociShape, ociVariables } from './names.ts';
import { readJson, readNewJson } from './read-json.ts';
import type { ContainerState, Runtime } from './runtime.ts';

/**
 * containerd, under Kubernetes or nerdctl: a bundle for each container, in its namespace's folder.
 */
export const containerd: Runtime = {
  name: 'containerd',
  stateDirs: [
    '/run/containerd',
    '/run/k3s/containerd', // k3s, RKE2
    '/run/k0s/containerd',
    '/var/snap/microk8s/common/run/containerd',
  ],
  cgroupPrefixes: ['cri-containerd', 'nerdctl'],
  cri: { prefix: 'cri-containerd', tree: 'k8s.io' },

  async readState(stateDir, id, variables) {
    const shape = ociShape(ANNOTATIONS, variables);
    for (const folder of await bundleFolders(stateDir)) {
      const state = stateIn(await readJson(`${folder}/${id}/config.json`, shape));
      if (state !== undefined) return state;
    }
    return undefined;
  },

  bundles: {
    folders: bundleFolders,
    readNew: (bundle, variables) =>
      stateIn(readNewJson(`${bundle}/config.json`, ociShape(ANNOTATIONS, variables))),
  },
};

/** Where bundles are: since containerd 1.3, and before. */
const BUNDLES = ['io.containerd.runtime.v2.task', 'io.containerd.runtime.v1.linux'];
const NAMESPACES_MAX = 64;
const KUBERNETES = 'k8s.io';
/** docker's namespace; docker has a file of its own that says more. */
const DOCKER = 'moby';
const CRI = 'io.kubernetes.cri';
/** The annotations that the CRI plugin, or nerdctl, adds to a bundle's `config.json` (OCI). */
const ANNOTATIONS = {
  [`${CRI}.container-type`]: TEXT,
  [`${CRI}.sandbox-namespace`]: TEXT,
  [`${CRI}.sandbox-name`]: TEXT,
  [`${CRI}.sandbox-uid`]: TEXT,
  [`${CRI}.container-name`]: TEXT,
  [`${CRI}.image-name`]: TEXT,
  'nerdctl/name': TEXT,
};

async function bundleFolders(stateDir: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const bundles of BUNDLES)
    for (const namespace of await namespacesIn(`${stateDir}/${bundles}`))
      if (namespace !== DOCKER) folders.push(`${stateDir}/${bundles}/${namespace}`);
  return folders;
}

/** Lists namespaces, that of Kubernetes first, because most look-ups end there. */
async function namespacesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).slice(0, NAMESPACES_MAX);
    const others = names.filter((name) => name !== KUBERNETES);
    return others.length < names.length ? [KUBERNETES, ...others] : names;
  } catch {
    return [];
  }
}

function stateIn(config: unknown): ContainerState | undefined {
  const root = objectOf(config);
  if (root === undefined) return undefined;
  const annotations = objectOf(root.annotations) ?? {};
  return {
    runtime: 'containerd',
    sandbox: annotations[`${CRI}.container-type`] === 'sandbox',
    podNamespace: nameOf(annotations[`${CRI}.sandbox-namespace`]),
    podName: nameOf(annotations[`${CRI}.sandbox-name`]),
    podUid: nameOf(annotations[`${CRI}.sandbox-uid`]),
    name: nameOf(annotations[`${CRI}.container-name`]) ?? nameOf(annotations['nerdctl/name']),
    image: imageOf(annotations[`${CRI}.image-name`]),
    variables: ociVariables(root),
  };
}
