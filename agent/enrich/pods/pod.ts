import type { V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import {
  ANNOTATION_PREFIX,
  LABEL_PREFIX,
  type OwnerKind,
  ownerKey,
} from '../../../record/fields/resource.ts';
import { KEYS } from '../../../record/fields.ts';
import { ownerAttributes } from './owners.ts';

/** The part of a pod that is kept: at most 2 KiB. */
export interface Pod {
  /** the uid in its cgroups' names; for a static pod, the hash of its configuration */
  readonly uid: string;
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

/** Selects the labels and annotations that are kept, by their keys. */
export interface PodKeys {
  label(key: string): boolean;
  annotation(key: string): boolean;
}

/** Annotations of a pod that mirrors a static one: the mark, and the static pod's own uid. */
const MIRROR = 'kubernetes.io/config.mirror';
const CONFIG_HASH = 'kubernetes.io/config.hash';
const SERVICE_NAME = 'resource.opentelemetry.io/service.name';
/**
 * The characters of all labels and annotations together; one that does not fit is left out as a
 * whole.
 */
const CHOSEN_MAX = 1024;
const SERVICE_NAME_MAX = 255;

/**
 * Keeps the parts of a pod that records need; undefined: it is not a pod. Timestamps may be text or
 * Date.
 */
export function slimPod(pod: V1Pod, keys: PodKeys): Pod | undefined {
  const { metadata, spec, status } = pod;
  const { uid, namespace, name, labels = {}, annotations = {} } = metadata ?? {};
  if (!uid || !namespace || !name) return undefined;
  const owners = ownerAttributes(
    metadata?.ownerReferences,
    labels,
    new Date(metadata?.creationTimestamp ?? 0),
  );
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
    uid: staticUid(annotations) ?? uid,
    namespace,
    name,
    attributes: {
      ...(status?.startTime ? { [KEYS.podStartTime]: rfc3339(status.startTime) } : {}),
      ...owners,
      ...chosen(labels, annotations, keys),
      [KEYS.serviceName]: serviceName(labels, annotations, owners, keys) ?? name,
    },
    containers,
  };
}

/**
 * Everybody can write annotations, so that they never yield the uid of a pod that is not static.
 */
function staticUid(annotations: Readonly<Record<string, string>>): string | undefined {
  const hash = annotations[CONFIG_HASH] ?? '';
  return annotations[MIRROR] !== undefined && /^[0-9a-f]{32}$/.test(hash) ? hash : undefined;
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
    image,
    id,
    imageId: status?.imageID ? status.imageID.replace(/^docker-pullable:\/\//, '') : undefined,
    restartCount: id === undefined ? undefined : status?.restartCount,
    lastId: idOf(status?.lastState?.terminated?.containerID),
  };
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
  if (asked) return asked;
  for (const key of ['app.kubernetes.io/instance', 'app.kubernetes.io/name'])
    if (keys.label(key) && labels[key]) return labels[key];
  for (const kind of SERVICE_OWNERS) {
    const owner = owners[ownerKey(kind, 'name')];
    if (owner) return owner;
  }
  return undefined;
}
