import type * as Kubernetes from '@kubernetes/client-node';
import type { KubeConfig, V1Pod } from '@kubernetes/client-node';
import { followPods } from './follow.ts';
import { loadKubeConfig, RequestError } from './kube-config.ts';
import { type Pod, slimPod } from './pod.ts';
import type { Change, ListWatch } from './reflector.ts';
import type { PodSource, PodSourceOptions } from './source.ts';

const LIST_MS = 30_000;
/** The server sends a bookmark every minute or so: this much silence is a dead connection. */
const SILENCE_MS = 150_000;

/** Follows this node's pods on the API server, and goes on trying while it cannot be reached. */
export function followApiServer(options: PodSourceOptions): PodSource {
  const slim = (pod: V1Pod) => slimPod(pod, options.keys);
  return followPods(new PodListWatch(options, slim), options);
}

/** The two requests, of pods that run on this node. */
class PodListWatch implements ListWatch<Pod> {
  readonly #options: PodSourceOptions;
  readonly #slim: (pod: V1Pod) => Pod | undefined;
  readonly #fieldSelector: string;

  constructor(options: PodSourceOptions, slim: (pod: V1Pod) => Pod | undefined) {
    this.#options = options;
    this.#slim = slim;
    this.#fieldSelector = `spec.nodeName=${options.nodeName}`;
  }

  async list(stop: AbortSignal) {
    const { client, config } = await this.#connect();
    const signal = AbortSignal.any([stop, AbortSignal.timeout(LIST_MS)]);
    const abortable = {
      pre: (context: Kubernetes.RequestContext) => {
        context.setSignal(signal);
        return new client.Observable(Promise.resolve(context));
      },
      post: (context: Kubernetes.ResponseContext) =>
        new client.Observable(Promise.resolve(context)),
    };
    const api = config.makeApiClient(client.CoreV1Api);
    // Version 0: from the API server's cache, as old as that is; the watch brings the rest.
    const query = { fieldSelector: this.#fieldSelector, resourceVersion: '0' };
    const settings: Kubernetes.ConfigurationOptions<Kubernetes.ObservableMiddleware> = {
      middleware: [abortable],
      middlewareMergeStrategy: 'append',
    };
    const { items, metadata } = await failing(api.listPodForAllNamespaces(query, settings));
    // A selector for a node that is not there is no error to the server.
    if (items.length === 0) await failing(api.readNode({ name: this.#options.nodeName }, settings));
    return {
      items: items.flatMap((pod) => this.#slim(pod) ?? []),
      resourceVersion: metadata?.resourceVersion ?? '0',
    };
  }

  async watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, pod?: Pod) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const { client, config } = await this.#connect();
    // A watch that is silent for long is ended by the client itself.
    const watch = new client.Watch(config);
    Reflect.set(watch, 'requestTimeoutMs', SILENCE_MS);
    const ended = Promise.withResolvers<void>();
    const query = {
      fieldSelector: this.#fieldSelector,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(timeoutSeconds),
    };
    let open = true;
    const request = await watch.watch(
      '/api/v1/pods',
      query,
      (phase, object) => {
        if (phase === 'ERROR') ended.reject(RequestError.of(object));
        else if (phase === 'BOOKMARK') onChange(object.metadata.resourceVersion);
        else onChange(object.metadata.resourceVersion, phase as Change, this.#slim(object));
      },
      (error) => {
        open = false;
        if (error) ended.reject(RequestError.of(error));
        else ended.resolve();
      },
    );
    if (open) onChange(resourceVersion);
    const abort = () => request.abort();
    stop.addEventListener('abort', abort, { once: true });
    try {
      await ended.promise;
    } finally {
      stop.removeEventListener('abort', abort);
      request.abort();
    }
  }

  /** Anew each time: certificates and addresses change. */
  async #connect(): Promise<{ client: typeof Kubernetes; config: KubeConfig }> {
    // Loaded only where it is used: it is large.
    const client = await import('@kubernetes/client-node');
    return { client, config: loadKubeConfig(client, this.#options.kubeconfig) };
  }
}

async function failing<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw RequestError.of(error);
  }
}
