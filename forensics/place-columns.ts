import { type OwnerKind, ownerKey } from '../record/fields/resource.ts';
import { KEYS } from '../record/fields.ts';

/** The kinds of owners, in the order in which they name a pod's owner. */
export const OWNERS: readonly OwnerKind[] = [
  'deployment',
  'statefulset',
  'daemonset',
  'cronjob',
  'job',
  'replicaset',
];

/** What differs between the engines. */
interface Dialect {
  /** Returns an attribute of the resource; NULL if it is not there. */
  readonly inResource: (key: string) => string;
  /** Returns a text behind a prefix; NULL if the text is NULL. */
  readonly behind: (prefix: string, text: string) => string;
}

/** Returns the columns that say where a record happened, as SQL expressions, in order. */
export function placeColumns({ inResource, behind }: Dialect): Record<string, string> {
  const owners = OWNERS.map((kind) => behind(`'${kind}/'`, inResource(ownerKey(kind, 'name'))));
  return {
    cluster: inResource(KEYS.clusterName),
    namespace: inResource(KEYS.namespace),
    pod: inResource(KEYS.podName),
    pod_uid: inResource(KEYS.podUid),
    container: `coalesce(${inResource(KEYS.podContainerName)}, ${inResource(KEYS.containerName)})`,
    container_id: inResource(KEYS.containerId),
    container_type: inResource(KEYS.containerType),
    image: inResource(KEYS.imageName),
    image_tags: inResource(KEYS.imageTags),
    image_id: inResource(KEYS.imageId),
    owner: `coalesce(${owners.join(', ')})`,
    service: inResource(KEYS.serviceName),
  };
}
