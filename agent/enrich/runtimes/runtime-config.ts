/** What a container runtime's own files say about a container. */
export interface ContainerState {
  readonly runtime: string;
  /** A pod's sandbox (pause), and no container of its own. */
  readonly sandbox: boolean;
  readonly podNamespace: string | undefined;
  readonly podName: string | undefined;
  readonly podUid: string | undefined;
  readonly name: string | undefined;
  readonly image: string | undefined;
}

/** Reads a bundle's `config.json` (OCI runtime specification) for what its annotations say. */
export function ociState(config: unknown, runtime: string): ContainerState | undefined {
  const annotations = objectOf(objectOf(config)?.annotations);
  if (objectOf(config) === undefined) return undefined;
  const read = (key: string) => annotations?.[key];
  if (read(`${CRIO}.ContainerType`) !== undefined) return crioState(read);
  return {
    runtime,
    sandbox: read(`${CRI}.container-type`) === 'sandbox',
    podNamespace: nameOf(read(`${CRI}.sandbox-namespace`)),
    podName: nameOf(read(`${CRI}.sandbox-name`)),
    podUid: nameOf(read(`${CRI}.sandbox-uid`)),
    name: nameOf(read(`${CRI}.container-name`)) ?? nameOf(read('nerdctl/name')),
    image: imageOf(read(`${CRI}.image-name`)),
  };
}

/** Reads docker's `config.v2.json`; the labels are those of the kubelet's (cri-dockerd). */
export function dockerState(config: unknown): ContainerState | undefined {
  const root = objectOf(config);
  const { Image: image, Labels: all } = objectOf(root?.Config) ?? {};
  const labels = objectOf(all) ?? {};
  if (root === undefined) return undefined;
  const sandbox = labels['io.kubernetes.docker.type'] === 'podsandbox';
  const name = typeof root.Name === 'string' ? nameOf(root.Name.replace(/^\//, '')) : undefined;
  return {
    runtime: 'docker',
    sandbox,
    ...podLabels(labels),
    name: sandbox ? undefined : (nameOf(labels['io.kubernetes.container.name']) ?? name),
    image: imageOf(image),
  };
}

const CRI = 'io.kubernetes.cri';
const CRIO = 'io.kubernetes.cri-o';

/**
 * CRI-O puts a pod's own annotations beside its own; what the kubelet says is written last and
 * stands under these keys.
 */
function crioState(read: (key: string) => unknown): ContainerState {
  const labels = {
    'io.kubernetes.pod.namespace': read('io.kubernetes.pod.namespace'),
    'io.kubernetes.pod.name': read('io.kubernetes.pod.name'),
    'io.kubernetes.pod.uid': read('io.kubernetes.pod.uid'),
  };
  const sandbox = read(`${CRIO}.ContainerType`) === 'sandbox';
  return {
    runtime: 'cri-o',
    sandbox,
    ...podLabels(labels),
    name: sandbox ? undefined : nameOf(read('io.kubernetes.container.name')),
    image: imageOf(read(`${CRIO}.ImageName`)),
  };
}

function podLabels(labels: Readonly<Record<string, unknown>>) {
  return {
    podNamespace: nameOf(labels['io.kubernetes.pod.namespace']),
    podName: nameOf(labels['io.kubernetes.pod.name']),
    podUid: nameOf(labels['io.kubernetes.pod.uid']),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** A name as Kubernetes and runtimes allow it; anything else is none. */
function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}$/.test(value)
    ? value
    : undefined;
}

/** An image reference, or an image's id. */
function imageOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][\w.:/@+-]{0,511}$/.test(value)
    ? value
    : undefined;
}
