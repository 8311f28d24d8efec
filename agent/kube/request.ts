import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { loadKubeConfig } from './config.ts';
import { discarded } from './garbage.ts';
import type { Pace } from './pace.ts';

/**
 * A GET that carries the credentials of a kubeconfig, to its API server or to the node's kubelet.
 */
export interface KubeRequest {
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** with its query, such as `/api/v1/pods?watch=true` */
  readonly path: string;
  /** undefined: the API server that the kubeconfig names */
  readonly kubelet?: KubeletServer;
  /** How long the server may send nothing, also before its response; undefined: without limit. */
  readonly silenceMs?: number;
  /** Limits the time that is spent on the response; undefined: without limit. */
  readonly pace?: Pace;
  readonly stop: AbortSignal;
}

/** The kubelet's authenticated endpoint. */
export interface KubeletServer {
  /** such as `https://127.0.0.1:10250` */
  readonly endpoint: string;
  /** Whether its certificate must be one that the cluster's authority has signed. */
  readonly verify: boolean;
  readonly nodeName: string;
}

/** The one HTTPS client for Kubernetes: sends a request and resolves when the answer begins. */
export async function send(request: KubeRequest): Promise<IncomingMessage> {
  const { kubeconfig, path, kubelet, silenceMs, stop: signal } = request;
  // Loaded each time: tokens and certificates rotate.
  const config = await loadKubeConfig(kubeconfig);
  const access: RequestOptions = {};
  await config.applyToHTTPSOptions(access);
  const server = kubelet?.endpoint ?? config.getCurrentCluster()?.server ?? '';
  const options = kubelet === undefined ? access : kubeletOptions(access, kubelet);
  const client = server.startsWith('http:') ? http : https;
  const sent = client.request(`${server.replace(/\/$/, '')}${path}`, { ...options, signal });
  if (silenceMs !== undefined)
    sent.setTimeout(silenceMs, () =>
      sent.destroy(new Error(`the ${kubelet ? 'kubelet' : 'API server'} is silent`)),
    );
  const [response] = await once(sent.end(), 'response');
  // The response reports every later failure as well.
  sent.on('error', () => {});
  return response;
}

/** Yields a response in pieces, which are garbage after that, as fast as `pace` permits. */
export async function* piecesOf(response: IncomingMessage, pace?: Pace): AsyncGenerator<Buffer> {
  for await (const piece of response as AsyncIterable<Buffer>) {
    const began = performance.now();
    yield piece;
    discarded(piece.length);
    const ms = pace?.spend(performance.now() - began) ?? 0;
    if (ms > 0) await pause(ms, undefined, { ref: false });
  }
}

/** The credentials without what belongs to the API server: its agent, proxy and TLS name. */
function kubeletOptions(access: RequestOptions, kubelet: KubeletServer): RequestOptions {
  const { ca, cert, key, headers, auth } = access;
  const { endpoint, verify, nodeName } = kubelet;
  const options = { ca, cert, key, headers, auth, agent: false, rejectUnauthorized: verify };
  // A kubelet's certificate names its node and hardly ever the loopback address.
  const isLoopback = LOOPBACK.test(new URL(endpoint).hostname);
  return isLoopback ? { ...options, servername: nodeName } : options;
}

const LOOPBACK = /^(127\.|\[::1\]|localhost$)/;
