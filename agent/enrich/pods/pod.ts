import type { V1Container, V1ContainerStatus, V1ObjectMeta, V1Pod } from '@kubernetes/client-node';
import {
  ANNOTATION_PREFIX,
  LABEL_PREFIX,
  type OwnerKind,
  ownerKey,
} from '../../../record/fields/resource.ts';
import { KEYS } from '../../../record/fields.ts';
import { ShortValues } from '../../kube/projection.ts';
import { ownerAttributes } from './owners.ts';

/** The part of a pod that is kept, of a bounded size: about 2 KiB for most pods. */
export interface Pod {
  /** the uid of its object, which is in its cgroups' names unless it mirrors a static pod */
  readonly uid: string;
  /**
   * The uid of the static pod that it claims to mirror, which is in that pod's cgroups' names. Who
   * may create pods can make this claim for any uid.
   */
  readonly mirrors?: string;
  readonly namespace: string;
  readonly name: string;
  /** further attributes of the resource */
  readonly attributes: Readonly<Record<string, string>>;
  readonly containers: readonly PodContainer[];
}

/** The kinds of containers in a pod. */
export type ContainerType = 'init' | 'sidecar' | 'ephemeral' | 'regular';

/** A container of a pod. */
export interface PodContainer {
  readonly name: string;
  readonly type: ContainerType;
  readonly image: string | undefined;
  /** the id of the container that runs or ran last; undefined: none has run yet */
  readonly id: string | undefined;
  readonly imageId: string | undefined;
  readonly restartCount: number | undefined;
  /** the id of the previous container */
  readonly lastId: string | undefined;
}

/** What is kept of pods, and the node that they are on. */
export interface PodOptions {
  readonly keys: PodKeys;
  readonly nodeName: string;
}

/** Selects the labels and annotations that are kept, by their keys. */
export interface PodKeys {
  label(key: string): boolean;
  annotation(key: string): boolean;
}

/**
 * Annotations with which the kubelet marks a pod that mirrors a static one: the static pod's uid,
 * twice, and where the pod is from (pkg/kubelet/pod/mirror_client.go).
 */
const MIRROR = 'kubernetes.io/config.mirror';
const CONFIG_HASH = 'kubernetes.io/config.hash';
const CONFIG_SOURCE = 'kubernetes.io/config.source';
/** A hash of the configuration, or the uid that the static pod's file names, as on OpenShift. */
const STATIC_UID = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const SERVICE_NAME = 'resource.opentelemetry.io/service.name';
/**
 * The characters of all labels and annotations together; one that does not fit is left out as a
 * whole.
 */
const CHOSEN_MAX = 1024;
const SERVICE_NAME_MAX = 255;
/** Pods that people write have a few containers; records of further ones are partial. */
const CONTAINERS_MAX = 64;
/** The characters of an image reference: name, tag and digest have at most 255, 128 and 71. */
const IMAGE_MAX = 512;

/** Longer ones are never kept. */
const CHOSEN_VALUES = new ShortValues(CHOSEN_MAX);
const CONTAINER = { name: true, image: true, restartPolicy: true } as const;
const STATUS = {
  name: true,
  containerID: true,
  imageID: true,
  restartCount: true,
  lastState: { terminated: { containerID: true } },
} as const;
/** The fields of a pod that slimPod() reads. */
export const POD_FIELDS = {
  metadata: {
    uid: true,
    namespace: true,
    name: true,
    creationTimestamp: true,
    labels: CHOSEN_VALUES,
    annotations: CHOSEN_VALUES,
    ownerReferences: true,
  },
  spec: { containers: CONTAINER, initContainers: CONTAINER, ephemeralContainers: CONTAINER },
  status: {
    startTime: true,
    containerStatuses: STATUS,
    initContainerStatuses: STATUS,
    ephemeralContainerStatuses: STATUS,
  },
} as const;

/**
 * Keeps the parts of a pod that records need; undefined: it is not a pod. Timestamps may be text or
 * Date.
 */
export function slimPod(pod: V1Pod, { keys, nodeName }: PodOptions): Pod | undefined {
  const { metadata, spec, status } = pod;
  const { uid, namespace, name, labels = {}, annotations = {} } = metadata ?? {};
  if (!uid || !namespace || !name) return undefined;
  const owners = ownerAttributes(
    metadata?.ownerReferences,
    labels,
    new Date(metadata?.creationTimestamp ?? 0),
  );
  const mirrors = mirroredUid(metadata, nodeName);
  const containers = [
    ...(spec?.initContainers ?? []).map((container) =>
      slimContainer(
        container,
        container.restartPolicy === 'Always' ? 'sidecar' : 'init',
        status?.initContainerStatuses,
      ),
    ),
    ...(spec?.containers ?? []).map((container) =>
      slimContainer(container, 'regular', status?.containerStatuses),
    ),
    ...(spec?.ephemeralContainers ?? []).map((container) =>
      slimContainer(container, 'ephemeral', status?.ephemeralContainerStatuses),
    ),
  ];
  return {
    uid,
    ...(mirrors === undefined ? {} : { mirrors }),
    namespace,
    name,
    attributes: {
      ...(status?.startTime ? { [KEYS.podStartTime]: rfc3339(status.startTime) } : {}),
      ...owners,
      ...chosen(labels, annotations, keys),
      [KEYS.serviceName]: serviceName(labels, annotations, owners, keys) ?? name,
    },
    containers: containers.slice(0, CONTAINERS_MAX),
  };
}

/** Returns the uid that a pod claims as the kubelet does: as a mirror that this node controls. */
function mirroredUid(metadata: V1ObjectMeta | undefined, nodeName: string): string | undefined {
  const { annotations = {}, ownerReferences = [] } = metadata ?? {};
  const uid = annotations[MIRROR];
  const isStatic =
    uid === annotations[CONFIG_HASH] && (annotations[CONFIG_SOURCE] ?? 'api') !== 'api';
  const isControlled = ownerReferences.some(
    ({ controller, apiVersion, kind, name }) =>
      controller === true && apiVersion === 'v1' && kind === 'Node' && name === nodeName,
  );
  return uid !== undefined && isStatic && isControlled && STATIC_UID.test(uid) ? uid : undefined;
}

function slimContainer(
  { name, image }: Pick<V1Container, 'name' | 'image'>,
  type: ContainerType,
  statuses: readonly V1ContainerStatus[] | undefined,
): PodContainer {
  const status = statuses?.find((status) => status.name === name);
  const id = idOf(status?.containerID);
  return {
    name,
    type,
    image: bounded(image),
    id,
    imageId: bounded(status?.imageID?.replace(/^docker-pullable:\/\//, '')),
    restartCount: id === undefined ? undefined : status?.restartCount,
    lastId: idOf(status?.lastState?.terminated?.containerID),
  };
}

/** Leaves out what is no image reference: nothing, and text that is too long for one. */
function bounded(image: string | undefined): string | undefined {
  return image && image.length <= IMAGE_MAX ? image : undefined;
}

/** Returns the id in `containerd://<id>`. */
function idOf(reference: string | undefined): string | undefined {
  return reference?.split('://')[1] || undefined;
}

function rfc3339(time: Date | string): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

function chosen(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  keys: PodKeys,
): Record<string, string> {
  const attributes: Record<string, string> = {};
  let room = CHOSEN_MAX;
  const take = (prefix: string, from: Readonly<Record<string, string>>, key: string) => {
    const value = from[key] ?? '';
    room -= prefix.length + key.length + value.length;
    if (room >= 0) attributes[prefix + key] = value;
    else room += prefix.length + key.length + value.length;
  };
  for (const key of Object.keys(labels)) if (keys.label(key)) take(LABEL_PREFIX, labels, key);
  for (const key of Object.keys(annotations))
    if (keys.annotation(key)) take(ANNOTATION_PREFIX, annotations, key);
  return attributes;
}

/** the kinds of owners in the order of the semantic conventions */
const SERVICE_OWNERS: readonly OwnerKind[] = [
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'cronjob',
  'job',
];

/**
 * The first value in the order of the semantic conventions ("How service.name should be
 * calculated"). The well-known labels count only if they are kept, because the conventions require
 * an opt-in.
 */
function serviceName(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  owners: Readonly<Record<string, string>>,
  keys: PodKeys,
): string | undefined {
  const asked = annotations[SERVICE_NAME]?.slice(0, SERVICE_NAME_MAX);
  // A copy, because the part of a long text would keep all of it in memory.
  if (asked) return Buffer.from(asked).toString();
  for (const key of ['app.kubernetes.io/instance', 'app.kubernetes.io/name'])
    if (keys.label(key) && labels[key]) return labels[key];
  for (const kind of SERVICE_OWNERS) {
    const owner = owners[ownerKey(kind, 'name')];
    if (owner) return owner;
  }
  return undefined;
}
