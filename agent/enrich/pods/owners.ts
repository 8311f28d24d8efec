import type { V1OwnerReference } from '@kubernetes/client-node';
import { type OwnerKind, ownerKey } from '../../../record/fields/resource.ts';

/** The kinds whose controllers own pods, with the API group that each belongs to. */
const CONTROLLERS = new Map<string, readonly [kind: OwnerKind, group: string]>([
  ['ReplicaSet', ['replicaset', 'apps/']],
  ['StatefulSet', ['statefulset', 'apps/']],
  ['DaemonSet', ['daemonset', 'apps/']],
  ['Job', ['job', 'batch/']],
]);
/** The label with the hash in the name of a Deployment's ReplicaSets and pods. */
export const TEMPLATE_HASH = 'pod-template-hash';
/** A pod of a CronJob is created neither much earlier than it is due nor more than days later. */
const EARLY_MS = 60_000;
const LATE_MS = 7 * 24 * 3_600_000;

/**
 * Returns a pod's owners as `k8s.<kind>.name` and `.uid`, as far as they are of a known kind; the uid of
 * the upper one is unknown.
 */
export function ownerAttributes(...given: Given): Record<string, string> {
  const attributes: Record<string, string> = {};
  const { owner, kind, above } = ownersOf(...given);
  if (owner === undefined || kind === undefined) return attributes;
  attributes[ownerKey(kind, 'name')] = owner.name;
  attributes[ownerKey(kind, 'uid')] = owner.uid;
  if (above !== undefined) attributes[ownerKey(KINDS[above.kind], 'name')] = above.name;
  return attributes;
}

/** Returns a pod's controller, of whatever kind, and the upper one as `kind/name`, such as `Job/nightly-1`. */
export function controllersOf(...given: Given): readonly string[] {
  const { owner, above } = ownersOf(...given);
  return [owner, above].flatMap((one) => (one === undefined ? [] : [`${one.kind}/${one.name}`]));
}

type Given = readonly [
  owners: readonly V1OwnerReference[] | undefined,
  labels: Readonly<Record<string, string>>,
  createdAt: Date,
];

const KINDS = { Deployment: 'deployment', CronJob: 'cronjob' } as const;

interface Owners {
  /** the pod's controller; undefined: it has none */
  readonly owner?: V1OwnerReference;
  /** undefined: it is of another kind than the known ones */
  readonly kind?: OwnerKind;
  /** what owns the pod through it */
  readonly above?: { readonly kind: keyof typeof KINDS; readonly name: string };
}

/**
 * Finds a pod's controller. A Deployment or a CronJob owns the pod through a ReplicaSet or a Job, whose
 * name its controller makes: `<deployment>-<pod-template-hash>` and `<cronjob>-<minute it is due>`. Only
 * an exact match counts.
 */
function ownersOf(...[owners, labels, createdAt]: Given): Owners {
  const owner = owners?.find(({ controller }) => controller === true);
  if (owner === undefined) return {};
  const [kind, group = ''] = CONTROLLERS.get(owner.kind) ?? [];
  if (kind === undefined || !owner.apiVersion.startsWith(group)) return { owner };
  const { name } = owner;
  const deployment = kind === 'replicaset' && withoutHash(name, labels[TEMPLATE_HASH]);
  if (deployment) return { owner, kind, above: { kind: 'Deployment', name: deployment } };
  const cronJob = kind === 'job' && withoutMinute(name, createdAt.getTime());
  if (cronJob) return { owner, kind, above: { kind: 'CronJob', name: cronJob } };
  return { owner, kind };
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
