import type { Pod } from './pod.ts';

/** How many deleted pods are remembered, because records of them may still follow. */
const GONE_MAX = 512;

/** The node's pods by uid, and those deleted last. A uid is never used again. */
export class PodIndex {
  readonly #pods = new Map<string, Pod>();
  readonly #gone = new Map<string, Pod>();
  readonly #onPod: (uid: string) => void;

  constructor(onPod: (uid: string) => void) {
    this.#onPod = onPod;
  }

  get(uid: string): Pod | undefined {
    return this.#pods.get(uid) ?? this.#gone.get(uid);
  }

  set(pod: Pod): void {
    this.#gone.delete(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#onPod(pod.uid);
  }

  /** `last` is the pod as it was deleted; an event without containers carries only its name. */
  delete(last: Pod): void {
    const known = this.#pods.get(last.uid);
    if (known === undefined) return;
    this.#pods.delete(last.uid);
    this.#gone.set(last.uid, last.containers.length > 0 ? last : known);
    for (const uid of this.#gone.keys()) {
      if (this.#gone.size <= GONE_MAX) break;
      this.#gone.delete(uid);
    }
  }

  /** Replaces all pods by the ones that exist. */
  replace(pods: readonly Pod[]): void {
    const uids = new Set(pods.map(({ uid }) => uid));
    for (const pod of this.#pods.values()) if (!uids.has(pod.uid)) this.delete(pod);
    for (const pod of pods) this.set(pod);
  }
}
