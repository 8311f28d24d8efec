import type { V1Pod } from '@kubernetes/client-node';
import { getObject, type KubeObject } from '../../kube/objects.ts';
import { RequestError } from '../../kube/request-error.ts';
import { slimPod } from './pod.ts';
import type { PodSource, PodSourceOptions, SourceState } from './pod-source.ts';
import { Pods } from './pods.ts';
import { followPodsApi } from './pods-api.ts';

export interface KubeletOptions extends PodSourceOptions {
  /** such as `https://127.0.0.1:10250`; or the socket of its pods API, `unix:///…` */
  readonly endpoint: string;
  /** Whether the kubelet's certificate must be one that the cluster's authority has signed. */
  readonly verify: boolean;
}

/** Labels change and pods go: everything is asked for again this often. */
const REFRESH_MS = 60_000;
/** A pod that is not known is asked for no more often than this; after failures, ever less. */
const AGAIN_MS = 200;
const AGAIN_MAX_MS = 30_000;
const REQUEST_MS = 10_000;

/** The pods that the kubelet knows, by its pods API or by its authenticated endpoint. */
export function openKubelet(options: KubeletOptions): PodSource {
  const { endpoint } = options;
  return endpoint.startsWith('unix:') ? followPodsApi(options, endpoint) : askKubelet(options);
}

/** Asks the kubelet for its pods whenever one comes up that is not known, and now and then. */
function askKubelet(options: KubeletOptions): PodSource {
  const { keys, onPod, onProblem } = options;
  const stop = new AbortController();
  const pods = new Pods(onPod);
  let state: SourceState = 'starting';
  let failures = 0;
  let notBefore = 0;
  let asking = false;

  async function ask(): Promise<void> {
    if (asking || stop.signal.aborted || performance.now() < notBefore) return;
    asking = true;
    try {
      const items = await listPods(options, stop.signal);
      pods.replace(items.flatMap((pod) => slimPod(pod as unknown as V1Pod, keys) ?? []));
      if (failures > 0) onProblem(undefined);
      failures = 0;
      state = 'following';
    } catch (error) {
      if (!stop.signal.aborted && failures === 0) onProblem(RequestError.of(error));
      failures += 1;
      state = 'unreachable';
    }
    notBefore = performance.now() + Math.min(AGAIN_MS * 2 ** failures, AGAIN_MAX_MS);
    asking = false;
  }

  const timer = setInterval(ask, REFRESH_MS);
  timer.unref();
  void ask();
  return {
    pod(uid) {
      const pod = pods.get(uid);
      if (pod === undefined) void ask();
      return pod;
    },
    get state() {
      return state;
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
  stop: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { kubeconfig, endpoint, verify, nodeName } = options;
  const { status, object } = await getObject({
    kubeconfig,
    path: '/pods',
    kubelet: { endpoint, verify, nodeName },
    stop: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_MS)]),
  });
  if (status !== 200) throw RequestError.refusal(status, object);
  if (object.items === undefined) throw new Error('the kubelet’s answer is no list of pods');
  return object.items;
}
