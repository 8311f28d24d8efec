import type { Pod, PodKeys } from './pod.ts';

/** `starting`: the source has not answered yet. `unreachable`: waiting for it is pointless. */
export type SourceState = 'starting' | 'following' | 'unreachable';

/** Where the metadata of this node's pods comes from. */
export interface PodSource {
  /**
   * Finds the pods that the uid in a cgroup’s name may mean: the pod of that uid, or else every pod
   * that claims to mirror a static pod of that uid. A source that is polled asks for an unknown one.
   */
  candidates(uid: string): readonly Pod[];
  readonly state: SourceState;
  /** How long pods were not read because reading them took too much of the time, in milliseconds. */
  readonly pausedMs: number;
  close(): void;
}

/** What a source needs, and the handlers that it calls. */
export interface PodSourceOptions {
  readonly nodeName: string;
  readonly keys: PodKeys;
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** Called when a pod is new or has changed. */
  onPod(uid: string): void;
  report(event: MetadataEvent): void;
}

/** The source cannot be used, or can be again, or has more than can be kept. */
export type MetadataEvent =
  | { readonly event: 'metadata.unavailable'; readonly error: Error }
  | { readonly event: 'metadata.available' }
  /** A pod is kept only in part, or not at all. */
  | { readonly event: 'metadata.reduced'; readonly pod: string };

/** The source that has no pods: records carry what the container runtime knows, and no more. */
export const NO_PODS: PodSource = {
  candidates: () => [],
  state: 'unreachable',
  pausedMs: 0,
  close: () => {},
};
