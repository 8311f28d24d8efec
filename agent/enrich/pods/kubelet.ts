import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { V1PodList } from '@kubernetes/client-node';
import { loadKubeConfig, RequestError } from '../../kube/config.ts';
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
/** A list of 500 pods with everything that may be in them. */
const RESPONSE_MAX_BYTES = 64 << 20;

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
      const { items } = await list(options, stop.signal);
      pods.replace(items.flatMap((pod) => slimPod(pod, keys) ?? []));
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

async function list(options: KubeletOptions, stop: AbortSignal): Promise<V1PodList> {
  const { kubeconfig, endpoint, verify, nodeName } = options;
  const access: RequestOptions = {};
  const config = await loadKubeConfig(kubeconfig);
  await config.applyToHTTPSOptions(access);
  const { ca, cert, key, headers, auth } = access;
  const url = new URL('/pods', endpoint);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(REQUEST_MS)]);
  const body = await get(url, {
    ca,
    cert,
    key,
    headers,
    auth,
    signal,
    agent: false,
    rejectUnauthorized: verify,
    // Its certificate names the node, and hardly ever the loopback address.
    ...(LOOPBACK.test(url.hostname) ? { servername: nodeName } : {}),
  });
  return JSON.parse(body);
}

const LOOPBACK = /^(127\.|\[::1\]|localhost$)/;

async function get(url: URL, options: RequestOptions): Promise<string> {
  const [response] = await once(request(url, options).end(), 'response');
  const body = await text(response);
  if (response.statusCode !== 200) throw RequestError.of({ code: response.statusCode, body });
  return body;
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > RESPONSE_MAX_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
