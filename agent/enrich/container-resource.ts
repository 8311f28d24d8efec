import { KEYS } from '../../record/fields.ts';
import type { ContainerPath } from './cgroups/container-path.ts';
import type { Pod } from './pods/pod.ts';
import type { PodContainer } from './pods/pod-containers.ts';
import type { ResourceAttributes } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';

/**
 * The facts about a container from its cgroup, its runtime and its pod; undefined: unknown so far.
 */
export interface ContainerFacts {
  readonly path: ContainerPath;
  readonly state: ContainerState | undefined;
  readonly pod: Pod | undefined;
}

/**
 * The pod of a container by its cgroup, or by its runtime's file where the kubelet has no cgroups for
 * pods.
 */
export function podUidOf({
  path,
  state,
}: Pick<ContainerFacts, 'path' | 'state'>): string | undefined {
  const isCertain = path.isCri && state?.runtime === path.runtime;
  return path.podUid ?? (isCertain ? state?.podUid : undefined);
}

/**
 * Drops facts that contradict the cgroup or each other, because they belong to another container.
 */
export function agreeing({ path, state, pod }: ContainerFacts): ContainerFacts {
  const stateUid = state?.podUid ?? path.podUid;
  const own = stateUid === podUidOf({ path, state }) ? state : undefined;
  const samePod =
    own?.podName === undefined
      ? pod?.mirrors === undefined // only the runtime proves that a claim to mirror a pod is true
      : own.podName === pod?.name && own.podNamespace === pod?.namespace;
  return { path, state: own, pod: samePod ? pod : undefined };
}

/** Finds the container in its pod by its id, or by the name that the runtime gives it. */
export function containerIn({ path, state, pod }: ContainerFacts): PodContainer | undefined {
  return (
    pod?.containers.find(({ id, lastId }) => id === path.id || lastId === path.id) ??
    pod?.containers.find(({ name }) => name === state?.name)
  );
}

/** Returns the resource of a container's records: the host's attributes and the container's. */
export function containerResource(
  { [KEYS.serviceName]: _, ...host }: ResourceAttributes,
  facts: ContainerFacts,
): ResourceAttributes {
  const { path, state, pod } = facts;
  const container = containerIn(facts);
  // A status describes the container with its id, and not an earlier one of the same name.
  const status = container?.id === path.id ? container : undefined;
  const name = container?.name ?? state?.name;
  const podUid = podUidOf(facts);
  const podName = pod?.name ?? state?.podName;
  return present({
    ...host,
    [KEYS.containerId]: path.id,
    [KEYS.containerName]: name,
    ...imageAttributes(state?.image, container?.image, status?.imageId),
    [KEYS.runtimeName]: path.runtime ?? state?.runtime,
    ...(podUid !== undefined && {
      [KEYS.containerType]: state?.sandbox ? 'sandbox' : container?.type,
      [KEYS.namespace]: pod?.namespace ?? state?.podNamespace,
      [KEYS.podName]: podName,
      [KEYS.podUid]: podUid,
      [KEYS.podContainerName]: name,
      [KEYS.restartCount]: status?.restartCount,
      [KEYS.serviceName]: podName,
      ...pod?.attributes,
    }),
  });
}

type Known = string | number | readonly string[] | undefined;

function present(attributes: Readonly<Record<string, Known>>): ResourceAttributes {
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as ResourceAttributes;
}

/**
 * Returns the image's attributes. A runtime knows an image by the reference in the request, or only
 * by its id.
 */
function imageAttributes(
  ofRuntime: string | undefined,
  ofPod: string | undefined,
  imageId: string | undefined,
): Record<string, Known> {
  const references = [ofRuntime, ofPod].filter((reference) => reference !== undefined);
  const reference = references.find((reference) => !IMAGE_ID.test(reference));
  const { name, tag } = reference === undefined ? {} : partsOf(reference);
  return {
    [KEYS.imageName]: name,
    [KEYS.imageTags]: tag === undefined ? undefined : [tag],
    [KEYS.imageId]: imageId ?? references.find((reference) => IMAGE_ID.test(reference)),
  };
}

const IMAGE_ID = /^(sha256:)?[0-9a-f]{64}$/;

/** Splits `registry:5000/name:tag@digest` into the name with its registry, and the tag. */
function partsOf(reference: string): { name?: string; tag?: string } {
  const [tagged = ''] = reference.split('@');
  const [, name = tagged, tag] = /^(.+):([^/:]+)$/.exec(tagged) ?? [];
  return tag === undefined ? { name } : { name, tag };
}
