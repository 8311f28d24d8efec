import type { Pod, PodKeys } from './pod.ts';

/** `starting`: it has not answered yet. While it is `unreachable`, nothing new is to be expected. */
export type SourceState = 'starting' | 'following' | 'unreachable';

/** Where the metadata of this node's pods comes from. */
export interface PodSource {
  /** By the uid that its cgroups have. A source that does not follow pods looks for an unknown one. */
  pod(uid: string): Pod | undefined;
  readonly state: SourceState;
  close(): void;
}

export interface PodSourceOptions {
  readonly nodeName: string;
  readonly keys: PodKeys;
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** Called when what is known of a pod has changed. */
  onPod(uid: string): void;
  /** Called when the source cannot be used, and (undefined) when it can again. */
  onProblem(problem: Error | undefined): void;
}

/** No metadata but the runtime's own. */
export const NO_PODS: PodSource = {
  pod: () => undefined,
  state: 'unreachable',
  close: () => {},
};
