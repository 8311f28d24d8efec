import { ALWAYS, type Field } from './field.ts';

const IN_CONTAINER = 'in a container';
const IN_POD = "in a pod's container";
const KNOWN_IN_CONTAINER = `${IN_CONTAINER}, if known`;
const KNOWN_IN_POD = `${IN_POD}, if known`;

/** What a resource can say, without the pod's owners, labels and annotations. */
export const RESOURCE = {
  hostName: {
    key: 'host.name',
    type: 'string',
    when: ALWAYS,
    about: 'The name of the node.',
  },
  hostId: {
    key: 'host.id',
    type: 'string',
    when: 'if the node has one',
    about: 'The machine id.',
  },
  osType: {
    key: 'os.type',
    type: 'string',
    when: ALWAYS,
    about: '`linux`.',
  },
  nodeName: {
    key: 'k8s.node.name',
    type: 'string',
    when: 'unless `metadata` is `none`',
    about: 'The name of the node in Kubernetes.',
  },
  clusterName: {
    key: 'k8s.cluster.name',
    type: 'string',
    when: 'with `clusterName`',
    about: 'The configured name of the cluster.',
  },
  containerId: {
    key: 'container.id',
    type: 'string',
    when: IN_CONTAINER,
    about: 'The id of the container, from the cgroup; for LXC and Nomad, its name there.',
  },
  containerName: {
    key: 'container.name',
    type: 'string',
    when: KNOWN_IN_CONTAINER,
    about: 'The name of the container.',
  },
  imageName: {
    key: 'container.image.name',
    type: 'string',
    when: KNOWN_IN_CONTAINER,
    about: "The image's name with its registry.",
  },
  imageTags: {
    key: 'container.image.tags',
    type: 'strings',
    when: KNOWN_IN_CONTAINER,
    about: "The image's tag, as an array of one.",
  },
  imageId: {
    key: 'container.image.id',
    type: 'string',
    when: KNOWN_IN_CONTAINER,
    about: "The image's id.",
  },
  runtimeName: {
    key: 'container.runtime.name',
    type: 'string',
    when: KNOWN_IN_CONTAINER,
    about: 'The container runtime, such as `containerd`.',
  },
  containerType: {
    key: 'vcml.container.type',
    type: 'string',
    when: KNOWN_IN_POD,
    about: '`sandbox`, `init`, `sidecar`, `ephemeral` or `regular`.',
  },
  namespace: {
    key: 'k8s.namespace.name',
    type: 'string',
    when: KNOWN_IN_POD,
    about: 'The namespace of the pod.',
  },
  podName: {
    key: 'k8s.pod.name',
    type: 'string',
    when: KNOWN_IN_POD,
    about: 'The name of the pod.',
  },
  podUid: {
    key: 'k8s.pod.uid',
    type: 'string',
    when: IN_POD,
    about: 'The uid of the pod, from the cgroup or the file of its container runtime.',
  },
  podContainerName: {
    key: 'k8s.container.name',
    type: 'string',
    when: KNOWN_IN_POD,
    about: 'The name of the container in the pod.',
  },
  restartCount: {
    key: 'k8s.container.restart_count',
    type: 'integer',
    when: KNOWN_IN_POD,
    about: 'How often the container was restarted.',
  },
  podStartTime: {
    key: 'k8s.pod.start_time',
    type: 'string',
    when: KNOWN_IN_POD,
    about: 'When the kubelet first saw the pod.',
  },
  serviceName: {
    key: 'service.name',
    type: 'string',
    when: `${IN_POD}, and where it is configured`,
    about:
      "The name of the service, by the rules of OpenTelemetry's semantic conventions for Kubernetes.",
  },
} as const satisfies Record<string, Field>;

/** The kinds that can own a pod, as in the keys of a resource. */
export const OWNER_KINDS = [
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
] as const;
export type OwnerKind = (typeof OWNER_KINDS)[number];

/** Returns the key for a pod's owner of a kind. */
export function ownerKey(kind: OwnerKind, part: 'name' | 'uid'): string {
  return `k8s.${kind}.${part}`;
}

/** The prefixes of the keys of a pod's configured labels and annotations. */
export const LABEL_PREFIX = 'k8s.pod.label.';
export const ANNOTATION_PREFIX = 'k8s.pod.annotation.';
