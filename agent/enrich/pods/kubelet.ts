import type { V1Pod } from '@kubernetes/client-node';
import { listObjects } from '../../kube/objects.ts';
import { RequestError } from '../../kube/request-error.ts';
import { type Pod, slimPod } from './pod.ts';
import { PodIndex } from './pod-index.ts';
import { podShape } from './pod-shape.ts';
import type { PodSource, PodSourceOptions, SourceState } from './pod-source.ts';

/** How the kubelet is reached. */
export interface KubeletOptions extends PodSourceOptions {
  /** such as `https://127.0.0.1:10250` */
  readonly endpoint: string;
  /** Whether the kubelet's certificate must be signed by the cluster's authority. */
  readonly verify: boolean;
}

/** All pods are read again this often, because labels change and pods are deleted. */
const REFRESH_MS = 60_000;
/** Unknown pods cause no more requests than one in this time; failures make it longer. */
const AGAIN_MS = 200;
const AGAIN_MAX_MS = 30_000;
/** At most this part of the time is spent on reading pods, however large they are. */
const PAUSE_PER_READ = 9;
const SILENCE_MS = 10_000;
const REQUEST_MS = 120_000;

/**
 * Reads the pods of the kubelet's authenticated endpoint at intervals, and whenever a pod is looked up
 * that is not known.
 */
export function askKubelet(options: KubeletOptions): PodSource {
  const { report } = options;
  const stop = new AbortController();
  const pods = new PodIndex(options);
  let state: SourceState = 'starting';
  let failures = 0;
  let notBefore = 0;
  let asking = false;
  let pausedMs = 0;

  async function ask(): Promise<void> {
    if (asking || stop.signal.aborted || performance.now() < notBefore) return;
    asking = true;
    const began = performance.now();
    try {
      const listing = pods.replace();
      await listPods(options, listing.add, stop.signal);
      listing.end();
      if (failures > 0) report({ event: 'metadata.available' });
      failures = 0;
      state = 'following';
    } catch (error) {
      if (!stop.signal.aborted && failures === 0)
        report({ event: 'metadata.unavailable', error: RequestError.of(error) });
      failures += 1;
      state = 'unreachable';
    }
    const ended = performance.now();
    const again = Math.min(AGAIN_MS * 2 ** failures, AGAIN_MAX_MS);
    const paced = Math.min(PAUSE_PER_READ * (ended - began), AGAIN_MAX_MS);
    notBefore = ended + Math.max(again, paced);
    pausedMs += Math.max(0, paced - again);
    asking = false;
  }

  const timer = setInterval(ask, REFRESH_MS);
  timer.unref();
  void ask();
  return {
    candidates(uid) {
      const found = pods.candidates(uid);
      if (found.length === 0) void ask();
      return found;
    },
    get state() {
      return state;
    },
    get pausedMs() {
      return pausedMs;
    },
    close() {
      clearInterval(timer);
      stop.abort();
    },
  };
}

/** Gets all pods of the node, as the kubelet has them. */
async function listPods(
  options: KubeletOptions,
  onPod: (pod: Pod) => void,
  stop: AbortSignal,
): Promise<void> {
  const { kubeconfig, endpoint, verify, nodeName, keys } = options;
  const request = {
    kubeconfig,
    path: '/pods',
    kubelet: { endpoint, verify, nodeName },
    silenceMs: SILENCE_MS,
    stop: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_MS)]),
  };
  await listObjects(request, podShape(keys), ({ value, isCut }) => {
    const pod = slimPod(value as V1Pod, options, isCut);
    if (pod !== undefined) onPod(pod);
  });
}
