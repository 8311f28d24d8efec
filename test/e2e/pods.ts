import type { Cluster, Manifest } from './cluster.ts';
import { TEST_IMAGE } from './images.ts';

/** The part of a pod that the tests read. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly serviceAccountName?: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  /** The id: `containerd://` and 64 hexadecimal digits. */
  readonly containerID?: string;
  readonly restartCount: number;
}

/** Returns a container that runs a command of the test image. */
export function container(name: string, command: readonly string[], more: Manifest = {}): Manifest {
  return { name, image: TEST_IMAGE, command, ...more };
}

/** Returns a pod that runs once, starts at once, and is deleted at once. */
export function pod(name: string, containers: readonly Manifest[], spec: Manifest = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(containers, spec) };
}

export function podSpec(containers: readonly Manifest[], spec: Manifest = {}): Manifest {
  return { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers, ...spec };
}

/** Waits until pods, by name or `--selector=…`, reach a phase. */
export async function waitForPhase(cluster: Cluster, phase: string, ...pods: readonly string[]) {
  const condition = `--for=jsonpath={.status.phase}=${phase}`;
  await cluster.kubectl('wait', 'pod', ...pods, condition, '--timeout=180s');
}

/** Returns the id of a pod's container, without the name of the runtime. */
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
