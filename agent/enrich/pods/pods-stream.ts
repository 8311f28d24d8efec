import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { type PodEvent, readPodEvent, SYNCED } from './pod-protobuf.ts';

/** KEP-4188; k8s.io/kubelet/pkg/apis/pods/v1alpha1/api.proto */
const WATCH_PODS = '/v1alpha1.Pods/WatchPods';
const LIST_MS = 30_000;
/** Of a pod whose labels alone change there is no event: all are asked for again this often. */
const REFRESH_MS = 300_000;

/**
 * All pods that the kubelet has, SYNCED, then what changes, for some minutes. Opens a connection of its
 * own, so that what an earlier one met with is no matter.
 */
export async function* watchPods(target: string, stop: AbortSignal): AsyncGenerator<PodEvent> {
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
