import type { Pod } from './pod.ts';

/** How many deleted pods are remembered, because records of them may still follow. */
const GONE_MAX = 512;
/** How many containers these pods may have together. */
const GONE_CONTAINERS_MAX = 4096;

/** The node's pods, and those deleted last. A uid is never used again. */
export class PodIndex {
  readonly #pods = new Map<string, Pod>();
  readonly #gone = new Map<string, Pod>();
  #goneContainers = 0;
  readonly #onPod: (uid: string) => void;

  constructor(onPod: (uid: string) => void) {
    this.#onPod = onPod;
  }

  /** See PodSource. */
  candidates(uid: string): readonly Pod[] {
    const own = this.#pods.get(uid) ?? this.#gone.get(uid);
    if (own !== undefined) return [own];
    const all = [...this.#pods.values(), ...this.#gone.values()];
    return all.filter(({ mirrors }) => mirrors === uid);
  }

  set(pod: Pod): void {
    this.#forget(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#onPod(pod.mirrors ?? pod.uid);
  }

  /** `last` is the pod as it was deleted; an event without containers carries only its name. */
  delete(last: Pod): void {
    const known = this.#pods.get(last.uid);
    if (known === undefined) return;
    this.#pods.delete(last.uid);
    const kept = last.containers.length > 0 ? last : known;
    this.#gone.set(last.uid, kept);
    this.#goneContainers += kept.containers.length;
    for (const uid of this.#gone.keys()) {
      if (this.#gone.size <= GONE_MAX && this.#goneContainers <= GONE_CONTAINERS_MAX) break;
      this.#forget(uid);
    }
  }

  /** Replaces all pods by the ones that exist. */
  replace(pods: readonly Pod[]): void {
    const uids = new Set(pods.map(({ uid }) => uid));
    for (const pod of this.#pods.values()) if (!uids.has(pod.uid)) this.delete(pod);
    for (const pod of pods) this.set(pod);
  }

  #forget(uid: string): void {
    this.#goneContainers -= this.#gone.get(uid)?.containers.length ?? 0;
    this.#gone.delete(uid);
  }
}
