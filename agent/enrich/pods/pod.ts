import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import {
  ANNOTATION_PREFIX,
  LABEL_PREFIX,
  type OwnerKind,
  ownerKey,
} from '../../../record/fields/resource.ts';
import { KEYS } from '../../../record/fields.ts';
import { otherController, ownerAttributes } from './owners.ts';
import { bytesOfContainer, type PodContainer, slimContainers } from './pod-containers.ts';

/** The part of a pod that is kept: hardly ever more than 2 KiB, and never more than 70 KiB. */
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
  /** its controller as `kind/name`, unless `attributes` have it or there is none */
  readonly controller?: string;
  /** the name of its service account */
  readonly serviceAccount?: string;
  /** Whether it has ended for good. */
  readonly isOver: boolean;
  /** Whether its object is larger than what is kept of any pod, so that something may be missing. */
  readonly isReduced: boolean;
}

/** What is kept of pods, and the node that they are on. */
export interface PodOptions {
  readonly keys: PodKeys;
  readonly nodeName: string;
  /** undefined: unknown */
  readonly nodeUid?: string | undefined;
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
export const MIRROR = 'kubernetes.io/config.mirror';
export const CONFIG_HASH = 'kubernetes.io/config.hash';
export const CONFIG_SOURCE = 'kubernetes.io/config.source';
/** A hash of the configuration, or the uid that the static pod's file names, as on OpenShift. */
const STATIC_UID = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
export const SERVICE_NAME = 'resource.opentelemetry.io/service.name';
/**
 * The characters of all labels and annotations together; one that does not fit is left out as a
 * whole.
 */
const CHOSEN_MAX = 1024;
const SERVICE_NAME_MAX = 255;
/** The longest version, kind, name and uid of an owner together. */
const OWNER_MAX = 1024;
/** What a pod takes beside its texts. */
const POD_BYTES = 600;

/**
 * Keeps the parts of a pod that records need; undefined: it is not a pod. Timestamps may be text or
 * Date. `isCut`: parts of it are missing already.
 */
export function slimPod(pod: V1Pod, options: PodOptions, isCut = false): Pod | undefined {
  const { metadata, spec, status } = pod;
  const { uid, namespace, name, labels = {}, annotations = {} } = metadata ?? {};
  if (!uid || !namespace || !name) return undefined;
  const { keys } = options;
  const references = metadata?.ownerReferences ?? [];
  const short = references.filter(isShort);
  const owners = ownerAttributes(short, labels, new Date(metadata?.creationTimestamp ?? 0));
  const controller = otherController(short);
  const startTime = rfc3339(status?.startTime);
  const { containers, isWhole } = slimContainers(pod);
  const mirrors = mirroredUid(annotations, short, options);
  return {
    uid,
    ...(mirrors === undefined ? {} : { mirrors }),
    namespace,
    name,
    attributes: {
      ...(startTime === undefined ? {} : { [KEYS.podStartTime]: startTime }),
      ...owners,
      ...chosen(labels, annotations, keys),
      [KEYS.serviceName]: serviceName(labels, annotations, owners, keys) ?? name,
    },
    containers,
    ...(controller === undefined ? {} : { controller }),
    ...(spec?.serviceAccountName ? { serviceAccount: spec.serviceAccountName } : {}),
    isOver: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    isReduced: isCut || !isWhole || short.length < references.length,
  };
}

/** About the memory that a pod takes. */
export function bytesOf(pod: Pod): number {
  const { uid, namespace, name, controller = '', serviceAccount = '', attributes } = pod;
  const texts = [uid, namespace, name, controller, serviceAccount];
  let bytes = texts.reduce((sum, text) => sum + text.length, POD_BYTES);
  for (const [key, value] of Object.entries(attributes)) bytes += key.length + value.length;
  for (const container of pod.containers) bytes += bytesOfContainer(container);
  return bytes;
}

function isShort({ apiVersion, kind, name, uid }: Partial<V1OwnerReference>): boolean {
  const isWhole = apiVersion && kind && name && uid;
  if (!isWhole) return false;
  return apiVersion.length + kind.length + name.length + uid.length <= OWNER_MAX;
}

/** Returns the uid that a pod claims as the kubelet does: as a mirror that this node controls. */
function mirroredUid(
  annotations: Readonly<Record<string, string>>,
  owners: readonly V1OwnerReference[],
  { nodeName, nodeUid }: PodOptions,
): string | undefined {
  const claimed = annotations[MIRROR];
  const isStatic =
    claimed === annotations[CONFIG_HASH] && (annotations[CONFIG_SOURCE] ?? 'api') !== 'api';
  const isControlled = owners.some(
    ({ controller, apiVersion, kind, name, uid }) =>
      controller === true &&
      apiVersion === 'v1' &&
      kind === 'Node' &&
      name === nodeName &&
      (nodeUid === undefined || uid === nodeUid),
  );
  const isUid = claimed !== undefined && STATIC_UID.test(claimed);
  return isUid && isStatic && isControlled ? claimed : undefined;
}

/** undefined: it has none, or no time */
function rfc3339(time: Date | string | undefined): string | undefined {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z');
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
