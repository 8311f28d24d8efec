import type { Cluster, Manifest } from './cluster.ts';
import { TEST_IMAGE } from './images.ts';

/** What a pod's status tells the tests. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  /** `containerd://` and 64 hex digits */
  readonly containerID?: string;
  readonly restartCount: number;
}

/** A container that runs a command of the test image. */
export function container(name: string, command: readonly string[], more: Manifest = {}): Manifest {
  return { name, image: TEST_IMAGE, command, ...more };
}

/** A pod that runs once, at once, and that does not linger when it is deleted. */
export function pod(name: string, containers: readonly Manifest[], spec: Manifest = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(containers, spec) };
}

export function podSpec(containers: readonly Manifest[], spec: Manifest = {}): Manifest {
  return { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers, ...spec };
}

/** Waits for pods, by name or `--selector=…`, to get into a phase. */
export async function waitForPhase(cluster: Cluster, phase: string, ...pods: readonly string[]) {
  const condition = `--for=jsonpath={.status.phase}=${phase}`;
  await cluster.kubectl('wait', 'pod', ...pods, condition, '--timeout=180s');
}

/** The id of a pod's container, without the runtime's name. */
export function containerId({ status }: PodObject, name: string): string {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = status;
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  const id = all.find((container) => container.name === name)?.containerID?.split('//')[1];
  if (id === undefined) throw new Error(`the status knows no container ${name}`);
  return id;
}
