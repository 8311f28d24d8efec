import { followPods } from './follow.ts';
import { RequestError } from './kube-config.ts';
import { type Pod, slimPod } from './pod.ts';
import { type PodEvent, readPodEvent } from './pod-protobuf.ts';
import type { Change, Listed, ListWatch } from './reflector.ts';
import type { PodSource, PodSourceOptions } from './source.ts';

/** KEP-4188; k8s.io/kubelet/pkg/apis/pods/v1alpha1/api.proto */
const WATCH_PODS = '/v1alpha1.Pods/WatchPods';
const SYNCED = 4;
const CHANGES: Readonly<Record<number, Change>> = { 1: 'ADDED', 2: 'MODIFIED', 3: 'DELETED' };

const LIST_MS = 30_000;
/** Of a pod whose labels alone change there is no event: all are asked for again this often. */
const REFRESH_MS = 300_000;
/** The stream cannot be taken up where it ended. */
const GONE = 410;

/**
 * Follows the pods API of the kubelet on its socket, such as
 * `unix:///var/lib/kubelet/pods-api/pods-api.sock`.
 */
export function followPodsApi(options: PodSourceOptions, target: string): PodSource {
  return followPods(new PodStream(options, target), options);
}

/** One call that first tells of all pods, then of what changes: both a list and its watch. */
class PodStream implements ListWatch<Pod> {
  readonly #target: string;
  readonly #slim: (event: PodEvent) => Pod | undefined;
  #events: AsyncGenerator<PodEvent> | undefined;

  constructor({ keys }: PodSourceOptions, target: string) {
    this.#target = target;
    this.#slim = ({ pod }) => pod && slimPod(pod, keys);
  }

  async list(stop: AbortSignal): Promise<Listed<Pod>> {
    const events = watchPods(this.#target, stop);
    const items: Pod[] = [];
    for (;;) {
      const { value: event, done } = await events.next();
      if (done) throw new Error(`${this.#target}: the kubelet has ended the list`);
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
    throw new RequestError('the kubelet has ended the stream', GONE);
  }
}

/** Opens a connection of its own, so that what an earlier one met with is no matter. */
async function* watchPods(target: string, stop: AbortSignal): AsyncGenerator<PodEvent> {
  const { Client, credentials, Metadata } = await import('@grpc/grpc-js');
  const client = new Client(target, credentials.createInsecure());
  const call = client.makeServerStreamRequest(
    WATCH_PODS,
    () => Buffer.alloc(0),
    readPodEvent,
    undefined,
    new Metadata(),
    { deadline: Date.now() + REFRESH_MS * (1 + Math.random()) },
  );
  call.on('error', () => {}); // also comes after its end
  const cancel = () => call.cancel();
  const impatience = setTimeout(cancel, LIST_MS);
  stop.addEventListener('abort', cancel, { once: true });
  try {
    for await (const event of call) {
      if (event.type === SYNCED) clearTimeout(impatience);
      yield event;
    }
  } catch (error) {
    const { details } = error as { details?: string };
    throw new Error(`${target}: ${details ?? error}`);
  } finally {
    clearTimeout(impatience);
    stop.removeEventListener('abort', cancel);
    call.cancel();
    client.close();
  }
}
