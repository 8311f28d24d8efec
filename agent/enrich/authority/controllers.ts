import { type OwnerKind, ownerKey } from '../../../record/fields/resource.ts';

/** The kinds whose controllers own pods, with the API group that each belongs to. */
export const CONTROLLERS = new Map<string, readonly [kind: OwnerKind, group: string]>([
  ['ReplicaSet', ['replicaset', 'apps/']],
  ['StatefulSet', ['statefulset', 'apps/']],
  ['DaemonSet', ['daemonset', 'apps/']],
  ['Job', ['job', 'batch/']],
]);

/** in the order of controllersOf() */
export const KINDS: readonly (readonly [kind: string, owner: OwnerKind])[] = [
  ...[...CONTROLLERS].map(([kind, [owner]]) => [kind, owner] as const),
  ['Deployment', 'deployment'],
  ['CronJob', 'cronjob'],
];

/** Returns a pod's controller as `kind/name`, and after it the one that owns the pod through that. */
export function controllersOf(attributes: Readonly<Record<string, string>>): string[] {
  return KINDS.flatMap(([kind, owner]) => {
    const name = attributes[ownerKey(owner, 'name')];
    return name === undefined ? [] : [`${kind}/${name}`];
  });
}
