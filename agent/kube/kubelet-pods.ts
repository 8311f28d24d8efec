import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { type PodEvent, readPodEvent, SYNCED } from './pod-event.ts';

/** KEP-4188; k8s.io/kubelet/pkg/apis/pods/v1alpha1/api.proto */
const WATCH_PODS = '/v1alpha1.Pods/WatchPods';
const LIST_MS = 30_000;
/**
 * The kubelet sends no event when only a pod's labels change, so the call is renewed this often.
 */
const REFRESH_MS = 300_000;

/**
 * Yields all pods that the kubelet has, then SYNCED, then every change, for some minutes. Each call
 * opens a connection of its own, so that the state of an earlier one does not matter.
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
  call.on('error', () => {}); // this is also called after its end
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
