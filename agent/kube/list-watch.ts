import { getObject, type KubeObject, watchObjects } from './objects.ts';
import type { Change, Listed, ListWatch } from './reflector.ts';
import { RequestError } from './request-error.ts';

const LIST_MS = 30_000;
/**
 * The server sends a bookmark about every minute, so a connection that is silent for so long is
 * dead.
 */
const SILENCE_MS = 150_000;

/** A collection of objects, and how it is listed. */
export interface ObjectsOptions {
  readonly kubeconfig: string;
  /** the collection, such as `/api/v1/pods` */
  readonly path: string;
  readonly fieldSelector: string;
  /** Whether the list may come from the API server’s cache, which can be out of date. */
  readonly cached: boolean;
}

/** Lists and watches the objects of a collection that a field selector names. */
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
    const { status, object } = await getObject({
      kubeconfig: this.#kubeconfig,
      path: this.#list,
      stop: AbortSignal.any([stop, AbortSignal.timeout(LIST_MS)]),
    });
    if (status !== 200) throw RequestError.refusal(status, object);
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
    const events = watchObjects({
      kubeconfig: this.#kubeconfig,
      path,
      silenceMs: SILENCE_MS,
      stop,
    });
    let version = resourceVersion;
    for await (const event of events) {
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
