import { type Kept, listObjects } from './object-list.ts';
import { watchObjects } from './objects.ts';
import type { Change, Listed, ListWatch } from './reflector.ts';
import { RequestError } from './request-error.ts';

/** How long the server may be silent before and within a list. */
const LIST_SILENCE_MS = 30_000;
/**
 * The server sends a bookmark about every minute, so a connection that is silent for so long is
 * dead.
 */
const SILENCE_MS = 150_000;

/** A collection of objects, how it is listed, and what is kept of it. */
export interface ObjectsOptions<Item> extends Kept<Item> {
  readonly kubeconfig: string;
  /** the collection, such as `/api/v1/pods` */
  readonly path: string;
  readonly fieldSelector: string;
  /** Whether the list may come from the API server’s cache, which can be out of date. */
  readonly cached: boolean;
}

/** Lists and watches the objects of a collection that a field selector names. */
export class ObjectListWatch<Item> implements ListWatch<Item> {
  readonly #options: ObjectsOptions<Item>;
  readonly #path: string;
  readonly #list: string;

  constructor(options: ObjectsOptions<Item>) {
    const { path, fieldSelector, cached } = options;
    this.#options = options;
    this.#path = `${path}?fieldSelector=${encodeURIComponent(fieldSelector)}`;
    this.#list = `${this.#path}${cached ? '&resourceVersion=0' : ''}`;
  }

  list(stop: AbortSignal): Promise<Listed<Item>> {
    const { kubeconfig } = this.#options;
    const request = { kubeconfig, path: this.#list, silenceMs: LIST_SILENCE_MS, stop };
    return listObjects(request, this.#options);
  }

  async watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, item?: Item) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const { kubeconfig, fields, read } = this.#options;
    const query = `&watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
    const path = `${this.#path}${query}&timeoutSeconds=${Math.round(timeoutSeconds)}`;
    const request = { kubeconfig, path, silenceMs: SILENCE_MS, stop };
    let version = resourceVersion;
    for await (const event of watchObjects(request, fields)) {
      if (event === 'open') {
        onChange(version);
        continue;
      }
      const { type, object } = event;
      if (type === 'ERROR') throw RequestError.of(object);
      version = object.metadata?.resourceVersion ?? version;
      if (type === 'BOOKMARK') onChange(version);
      else onChange(version, type as Change, read(object));
    }
  }
}
