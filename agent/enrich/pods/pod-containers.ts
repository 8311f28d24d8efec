import type { V1Container, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Commands } from '../authority/commands.ts';
import { type ConfiguredCommands, commandsOf } from './commands.ts';

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
  /** undefined: it has none */
  readonly commands?: Commands;
}

/** More containers than the kubelet could ever run in one pod. */
const CONTAINERS_MAX = 512;
/** What the containers of a pod may take of memory, and each of them beside its texts. */
const BYTES_MAX = 64 << 10;
const CONTAINER_BYTES = 200;

/** Keeps the parts of a pod's containers that records need, as long as there is room. */
export function slimContainers({ spec, status }: V1Pod): {
  readonly containers: readonly PodContainer[];
  readonly isWhole: boolean;
} {
  const {
    initContainerStatuses: init,
    containerStatuses: regular,
    ephemeralContainerStatuses: ephemeral,
  } = status ?? {};
  const all: readonly Given[] = [
    ...(spec?.initContainers ?? []).map((one) => [one, initType(one), init] as const),
    ...(spec?.containers ?? []).map((one) => [one, 'regular', regular] as const),
    ...(spec?.ephemeralContainers ?? []).map((one) => [one, 'ephemeral', ephemeral] as const),
  ];
  let left = BYTES_MAX;
  const containers = all.slice(0, CONTAINERS_MAX).flatMap((given) => {
    const container = slimContainer(given);
    left -= bytesOfContainer(container);
    return left >= 0 && container.name ? [container] : [];
  });
  return { containers, isWhole: containers.length === all.length };
}

/** About the memory that a container takes. */
export function bytesOfContainer(container: PodContainer): number {
  const { name, image, id, imageId, lastId, commands = {} } = container;
  const texts = [name, image, id, imageId, lastId, ...Object.entries(commands).flat()];
  return texts.reduce((bytes, text) => bytes + (text?.length ?? 0), CONTAINER_BYTES);
}

type Given = readonly [
  container: Pick<V1Container, 'name' | 'image' | keyof ConfiguredCommands>,
  type: ContainerType,
  statuses: readonly V1ContainerStatus[] | undefined,
];

function initType({ restartPolicy }: V1Container): ContainerType {
  return restartPolicy === 'Always' ? 'sidecar' : 'init';
}

function slimContainer([given, type, statuses]: Given): PodContainer {
  const { name, image } = given;
  const commands = commandsOf(given);
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
    ...(commands === undefined ? {} : { commands }),
  };
}

/** Returns the id in `containerd://<id>`. */
function idOf(reference: string | undefined): string | undefined {
  return reference?.split('://')[1] || undefined;
}
