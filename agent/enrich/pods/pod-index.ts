import type { Listing } from '../../kube/reflector.ts';
import { bytesOf, type Pod } from './pod.ts';
import type { PodSourceOptions } from './pod-source.ts';

/** How many deleted pods are remembered, because records of them may still follow. */
const GONE_MAX = 512;
/** What the pods that exist, and the deleted ones, may take of memory. */
const BYTES_MAX = 12 << 20;
const GONE_BYTES_MAX = 2 << 20;

/**
 * The node's pods, and those that ended last. A uid is never used again. The memory is
 * bounded, however many pods there are and whatever they contain.
 */
export class PodIndex {
  readonly #pods = new PodStore();
  readonly #gone = new PodStore();
  readonly #listeners: Pick<PodSourceOptions, 'onPod' | 'report'>;
  #list = 0;

  constructor(listeners: Pick<PodSourceOptions, 'onPod' | 'report'>) {
    this.#listeners = listeners;
  }

  /** See PodSource. */
  candidates(uid: string): readonly Pod[] {
    const own = this.#pods.get(uid) ?? this.#gone.get(uid);
    if (own !== undefined) return [own.pod];
    const claims: Pod[] = [];
    for (const pods of [this.#pods, this.#gone])
      for (const { pod } of pods.all()) if (pod.mirrors === uid) claims.push(pod);
    return claims;
  }

  set(pod: Pod): void {
    const { onPod, report } = this.#listeners;
    const { uid } = pod;
    const before = this.#pods.delete(uid);
    const wasReduced = (before ?? this.#gone.get(uid))?.pod.isReduced ?? false;
    const hasRoom = this.#pods.bytes + bytesOf(pod) <= BYTES_MAX;
    if (!pod.isOver && hasRoom) {
      this.#gone.delete(uid);
      this.#pods.set(pod, this.#list);
    } else {
      this.#bury(pod.isOver ? pod : before?.pod);
    }
    const isReduced = pod.isReduced || !(pod.isOver || hasRoom);
    if (isReduced && !wasReduced)
      report({ event: 'metadata.reduced', pod: `${pod.namespace}/${pod.name}` });
    onPod(pod.mirrors ?? uid);
  }

  /** `last` is the pod as it was deleted; an event without containers carries only its name. */
  delete(last: Pod): void {
    const known = this.#pods.delete(last.uid)?.pod;
    if (known !== undefined) this.#bury(last.containers.length > 0 ? last : known);
  }

  /** Replaces all pods by the ones that are added until the end. */
  replace(): Listing<Pod> {
    this.#list += 1;
    return {
      add: (pod) => this.set(pod),
      end: () => {
        for (const { pod, list } of this.#pods.all()) if (list !== this.#list) this.delete(pod);
      },
    };
  }

  #bury(pod: Pod | undefined): void {
    if (pod === undefined) return;
    this.#gone.set(pod, this.#list);
    for (const { pod: oldest } of this.#gone.all()) {
      if (this.#gone.size <= GONE_MAX && this.#gone.bytes <= GONE_BYTES_MAX) break;
      this.#gone.delete(oldest.uid);
    }
  }
}

interface Entry {
  readonly pod: Pod;
  readonly bytes: number;
  /** the number of the list that had it last */
  readonly list: number;
}

/** Pods by uid in the order in which they were set, and about how many bytes they take. */
class PodStore {
  readonly #entries = new Map<string, Entry>();
  bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(uid: string): Entry | undefined {
    return this.#entries.get(uid);
  }

  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  set(pod: Pod, list: number): void {
    this.delete(pod.uid);
    const bytes = bytesOf(pod);
    this.#entries.set(pod.uid, { pod, bytes, list });
    this.bytes += bytes;
  }

  delete(uid: string): Entry | undefined {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return undefined;
    this.#entries.delete(uid);
    this.bytes -= entry.bytes;
    return entry;
  }
}
