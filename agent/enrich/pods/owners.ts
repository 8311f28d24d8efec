import type { V1OwnerReference } from '@kubernetes/client-node';
import { type OwnerKind, ownerKey } from '../../../record/fields/resource.ts';
import { CONTROLLERS, KINDS } from '../authority/controllers.ts';

/** The label with the hash in the name of a Deployment's ReplicaSets and pods. */
export const TEMPLATE_HASH = 'pod-template-hash';
/** A pod of a CronJob is created neither much earlier than it is due nor more than days later. */
const EARLY_MS = 60_000;
const LATE_MS = 7 * 24 * 3_600_000;

/**
 * Returns a pod's owners as `k8s.<kind>.name` and `.uid`. A Deployment or a CronJob owns it through
 * a ReplicaSet or a Job, whose name its controller makes: `<deployment>-<pod-template-hash>` and
 * `<cronjob>-<minute it is due>`. Only an exact match counts; the uid of such an owner is unknown.
 */
export function ownerAttributes(
  owners: readonly V1OwnerReference[] | undefined,
  labels: Readonly<Record<string, string>>,
  createdAt: Date,
): Record<string, string> {
  const attributes: Record<string, string> = {};
  const owner = controllerIn(owners);
  const kind = owner && kindOf(owner);
  if (owner === undefined || kind === undefined) return attributes;
  const { name, uid } = owner;
  attributes[ownerKey(kind, 'name')] = name;
  attributes[ownerKey(kind, 'uid')] = uid;
  const deployment = kind === 'replicaset' && withoutHash(name, labels[TEMPLATE_HASH]);
  if (deployment) attributes[ownerKey('deployment', 'name')] = deployment;
  const cronJob = kind === 'job' && withoutMinute(name, createdAt.getTime());
  if (cronJob) attributes[ownerKey('cronjob', 'name')] = cronJob;
  return attributes;
}

/**
 * Returns a pod's controller of any other kind as `kind/name`; undefined: it has none, or one that has the
 * name of a known kind and is of another group.
 */
export function otherController(owners: readonly V1OwnerReference[]): string | undefined {
  const owner = controllerIn(owners);
  const isNamesake = KINDS.some(([kind]) => kind === owner?.kind);
  return owner === undefined || isNamesake ? undefined : `${owner.kind}/${owner.name}`;
}

function controllerIn(
  owners: readonly V1OwnerReference[] | undefined,
): V1OwnerReference | undefined {
  return owners?.find(({ controller }) => controller === true);
}

function kindOf({ kind, apiVersion }: V1OwnerReference): OwnerKind | undefined {
  const [owner, group = ''] = CONTROLLERS.get(kind) ?? [];
  return apiVersion.startsWith(group) ? owner : undefined;
}

/**
 * Kubernetes cuts the Deployment's name so that the ReplicaSet's has this length
 * (pkg/controller/deployment/sync.go, generateReplicaSetName). What is left of it is another name.
 */
const REPLICA_SET_MAX = 253;

function withoutHash(name: string, hash: string | undefined): string | undefined {
  const isWhole = hash && name.endsWith(`-${hash}`) && name.length < REPLICA_SET_MAX;
  return isWhole ? name.slice(0, -hash.length - 1) : undefined;
}

function withoutMinute(name: string, createdMs: number): string | undefined {
  const [, cronJob, minute] = /^(.+)-(\d{8,9})$/.exec(name) ?? [];
  const lateMs = createdMs - Number(minute) * 60_000;
  return lateMs >= -EARLY_MS && lateMs <= LATE_MS ? cronJob : undefined;
}
