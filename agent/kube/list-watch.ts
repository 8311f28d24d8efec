import { RequestError } from './config.ts';
import type { Change, Listed, ListWatch } from './reflector.ts';
import { getObject, type KubeObject, watchObjects } from './request.ts';

const LIST_MS = 30_000;
/** The server sends a bookmark every minute or so: this much silence is a dead connection. */
const SILENCE_MS = 150_000;

export interface ObjectsOptions {
  readonly kubeconfig: string;
  /** of the collection, such as `/api/v1/pods` */
  readonly path: string;
  readonly fieldSelector: string;
  /** The list may be as old as the API server's cache. */
  readonly cached: boolean;
}

/** The objects of a collection of the API server that a selector names. */
export class ObjectListWatch implements ListWatch<KubeObject> {
  readonly #kubeconfig: string;
  readonly #path: string;
  readonly #list: string;

  constructor({ kubeconfig, path, fieldSelector, cached }: ObjectsOptions) {
    this.#kubeconfig = kubeconfig;
    this.#path = `${path}?fieldSelector=${encodeURIComponent(fieldSelector)}`;
    this.#list = `${this.#path}${cached ? '&resourceVersion=0' : ''}`;
  }

  async list(stop: AbortSignal): Promise<Listed<KubeObject>> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(LIST_MS)]);
    const { status, object } = await getObject(this.#kubeconfig, this.#list, signal);
    if (status !== 200) throw RequestError.of({ code: status, body: object });
    const { items = [], metadata } = object;
    return { items, resourceVersion: metadata?.resourceVersion ?? '0' };
  }

  async watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, object?: KubeObject) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const query = `&watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
    const path = `${this.#path}${query}&timeoutSeconds=${Math.round(timeoutSeconds)}`;
    let version = resourceVersion;
    for await (const event of watchObjects(this.#kubeconfig, path, SILENCE_MS, stop)) {
      if (event === 'open') {
        onChange(version);
        continue;
      }
      const { type, object } = event;
      if (type === 'ERROR') throw RequestError.of(object);
      version = object.metadata?.resourceVersion ?? version;
      if (type === 'BOOKMARK') onChange(version);
      else onChange(version, type as Change, object);
    }
  }
}
