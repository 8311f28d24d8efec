import { setTimeout as pause } from 'node:timers/promises';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { discarded } from './garbage.ts';
import type { Pace } from './pace.ts';
import { SYNCED } from './pod-event.ts';

/** KEP-4188; k8s.io/kubelet/pkg/apis/pods/v1alpha1/api.proto */
const WATCH_PODS = '/v1alpha1.Pods/WatchPods';
/** How long the kubelet may send nothing until it has sent all pods. */
const SILENCE_MS = 30_000;
/**
 * The kubelet sends no event when only a pod's labels change, so the call is renewed this often.
 */
const REFRESH_MS = 300_000;
/** etcd takes objects of 1.5 MiB, and gRPC would end the stream at a larger event. */
const EVENT_MAX = 16 << 20;

/**
 * Yields all pods that the kubelet has, then SYNCED, then every change, for some minutes. `read`
 * makes an event of its message, as fast as `pace` permits. Each call opens a connection of its own,
 * so that the state of an earlier one does not matter.
 */
export async function* watchPods<Event extends { readonly type: number }>(
  target: string,
  read: (message: Buffer) => Event,
  pace: Pace,
  stop: AbortSignal,
): AsyncGenerator<Event> {
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.max_receive_message_length': EVENT_MAX,
  });
  let busyMs = 0;
  const call = client.makeServerStreamRequest(
    WATCH_PODS,
    () => Buffer.alloc(0),
    (message: Buffer) => {
      const began = performance.now();
      discarded(message.length);
      const event = read(message);
      busyMs += performance.now() - began;
      return event;
    },
    undefined,
    new Metadata(),
    { deadline: Date.now() + REFRESH_MS * (1 + Math.random()) },
  );
  call.on('error', () => {}); // this is also called after its end
  const cancel = () => call.cancel();
  let isSynced = false;
  const impatience = setTimeout(cancel, SILENCE_MS);
  stop.addEventListener('abort', cancel, { once: true });
  try {
    for await (const event of call) {
      isSynced ||= event.type === SYNCED;
      if (isSynced) clearTimeout(impatience);
      else impatience.refresh();
      yield event;
      const ms = pace.spend(busyMs);
      busyMs = 0;
      if (ms > 0) await pause(ms, undefined, { ref: false });
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
