import { type PodEvent, SYNCED } from '../../kube/pod-event.ts';
import type { Change, Listed, ListWatch } from '../../kube/reflector.ts';
import { RequestError } from '../../kube/request-error.ts';
import { type Pod, slimPod } from './pod.ts';
import { followPods } from './pod-follower.ts';
import type { PodSource, PodSourceOptions } from './pod-source.ts';

const CHANGES: Readonly<Record<number, Change>> = { 1: 'ADDED', 2: 'MODIFIED', 3: 'DELETED' };

/** Makes the reflector list again: a stream cannot be continued where it ended. */
const GONE = 410;

/**
 * Follows the pods API of the kubelet on its socket, such as
 * `unix:///var/lib/kubelet/pods-api/pods-api.sock`.
 */
export function followPodsApi(options: PodSourceOptions, target: string): PodSource {
  return followPods(new PodStream(options, target), options);
}

/** One call is both the list and its watch: it yields all pods first, then every change. */
class PodStream implements ListWatch<Pod> {
  readonly #target: string;
  readonly #slim: (event: PodEvent) => Pod | undefined;
  #events: AsyncGenerator<PodEvent> | undefined;

  constructor(options: PodSourceOptions, target: string) {
    this.#target = target;
    this.#slim = ({ pod }) => pod && slimPod(pod, options);
  }

  async list(stop: AbortSignal): Promise<Listed<Pod>> {
    // Imported only where it is used, because gRPC is large.
    const { watchPods } = await import('../../kube/kubelet-pods.ts');
    const events = watchPods(this.#target, stop);
    const items: Pod[] = [];
    for (;;) {
      const { value: event, done } = await events.next();
      if (done) throw new Error(`${this.#target}: the kubelet ended the list too early`);
      if (event.type === SYNCED) break;
      const pod = this.#slim(event);
      if (pod !== undefined) items.push(pod);
    }
    this.#events = events;
    return { items, resourceVersion: '' };
  }

  async watch(
    _: string,
    _timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, pod?: Pod) => void,
  ): Promise<void> {
    try {
      for await (const event of this.#events ?? [])
        onChange('', CHANGES[event.type], this.#slim(event));
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error), GONE);
    }
    throw new RequestError('the kubelet ended the stream', GONE);
  }
}
