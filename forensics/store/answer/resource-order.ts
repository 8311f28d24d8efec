import {
  ANNOTATION_PREFIX,
  LABEL_PREFIX,
  type OwnerKind,
  ownerKey,
  RESOURCE,
} from '../../../record/fields/resource.ts';
import { KEYS } from '../../../record/fields.ts';

/** A controller and what is above it, as the agent names them. */
const OWNERS: readonly OwnerKind[] = [
  'replicaset',
  'deployment',
  'job',
  'cronjob',
  'statefulset',
  'daemonset',
];

const { podStartTime: _, serviceName: __, ...DECLARED } = RESOURCE;

/** The keys of a container's resource in the order of a line, behind those of the operator. */
const CONTAINER: readonly string[] = [
  ...Object.values(DECLARED).map(({ key }) => key),
  KEYS.serviceName,
  KEYS.podStartTime,
  ...OWNERS.flatMap((kind) => [ownerKey(kind, 'name'), ownerKey(kind, 'uid')]),
];
/** On the host, the operator names the service. */
const HOST: readonly string[] = [
  KEYS.serviceName,
  ...CONTAINER.filter((key) => key !== KEYS.serviceName),
];

/**
 * Sorts the members of a resource as the agent writes them; the exporter sorts them by key. The order
 * of several attributes in OTEL_RESOURCE_ATTRIBUTES is lost: they stand first, by key.
 */
export function inOrder<Value>(members: readonly (readonly [string, Value])[]) {
  const isContainer = members.some(([key]) => key === KEYS.containerId);
  const ranks = isContainer ? CONTAINER_RANKS : HOST_RANKS;
  return members.toSorted(([one], [other]) => {
    const difference = rankOf(one, ranks) - rankOf(other, ranks);
    return difference === 0 ? Number(one > other) - Number(one < other) : difference;
  });
}

const CONTAINER_RANKS = ranksOf(CONTAINER);
const HOST_RANKS = ranksOf(HOST);

function ranksOf(keys: readonly string[]): ReadonlyMap<string, number> {
  return new Map(keys.map((key, rank) => [key, rank]));
}

function rankOf(key: string, ranks: ReadonlyMap<string, number>): number {
  if (key.startsWith(LABEL_PREFIX)) return ranks.size;
  if (key.startsWith(ANNOTATION_PREFIX)) return ranks.size + 1;
  return ranks.get(key) ?? -1;
}
