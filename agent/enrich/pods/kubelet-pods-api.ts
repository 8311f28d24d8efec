import { watchPods } from '../../kube/kubelet-pods.ts';
import { Pace } from '../../kube/pace.ts';
import { readPodEvent, SYNCED } from '../../kube/pod-event.ts';
import type { Change, ListWatch } from '../../kube/reflector.ts';
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
  const pace = new Pace();
  return followPods(new PodStream(options, target, pace), pace, options);
}

/** An event of the API, by the number of its type, with the part of its pod that is kept. */
interface SlimEvent {
  readonly type: number;
  readonly pod: Pod | undefined;
}

/** One call is both the list and its watch: it yields all pods first, then every change. */
class PodStream implements ListWatch<Pod> {
  readonly #options: PodSourceOptions;
  readonly #target: string;
  readonly #pace: Pace;
  #events: AsyncGenerator<SlimEvent> | undefined;

  constructor(options: PodSourceOptions, target: string, pace: Pace) {
    this.#options = options;
    this.#target = target;
    this.#pace = pace;
  }

  async list(onPod: (pod: Pod) => void, stop: AbortSignal): Promise<string> {
    // Runs before an event is queued, so that the queue holds no whole pods.
    const read = (buffer: Uint8Array): SlimEvent => {
      const { type, pod } = readPodEvent(buffer);
      return { type, pod: pod && slimPod(pod, this.#options) };
    };
    const events = watchPods(this.#target, read, this.#pace, stop);
    for (;;) {
      const { value: event, done } = await events.next();
      if (done) throw new Error(`${this.#target}: the kubelet ended the list too early`);
      if (event.type === SYNCED) break;
      if (event.pod !== undefined) onPod(event.pod);
    }
    this.#events = events;
    return '';
  }

  async watch(
    _: string,
    _timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, pod?: Pod) => void,
  ): Promise<void> {
    try {
      for await (const { type, pod } of this.#events ?? []) onChange('', CHANGES[type], pod);
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error), GONE);
    }
    throw new RequestError('the kubelet ended the stream', GONE);
  }
}
