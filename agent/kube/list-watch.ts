import type { Members } from './json-shape.ts';
import type { Sieved } from './json-sieve.ts';
import { type KubeObject, listObjects, watchObjects } from './objects.ts';
import type { Pace } from './pace.ts';
import type { Change, ListWatch } from './reflector.ts';
import { RequestError } from './request-error.ts';

/** A list takes as long as the server sends something, but not longer than LIST_MS. */
const LIST_SILENCE_MS = 30_000;
const LIST_MS = 300_000;
/**
 * The server sends a bookmark about every minute, so a connection that is silent for so long is
 * dead.
 */
const SILENCE_MS = 150_000;

/** A collection of objects, and how it is listed. */
export interface ObjectsOptions<Item> {
  readonly kubeconfig: string;
  /** the collection, such as `/api/v1/pods` */
  readonly path: string;
  readonly fieldSelector: string;
  /** Whether the list may come from the API server’s cache, which can be out of date. */
  readonly cached: boolean;
  /** The parts of an object that `read` needs, with `metadata.resourceVersion`. */
  readonly shape: Members;
  readonly pace: Pace;
  /** Makes an item of an object; undefined: it is none. */
  read(object: Sieved): Item | undefined;
}

/** Lists and watches the objects of a collection that a field selector names. */
export class ObjectListWatch<Item> implements ListWatch<Item> {
  readonly #options: ObjectsOptions<Item>;
  readonly #path: string;

  constructor(options: ObjectsOptions<Item>) {
    this.#options = options;
    this.#path = `${options.path}?fieldSelector=${encodeURIComponent(options.fieldSelector)}`;
  }

  list(onItem: (item: Item) => void, stop: AbortSignal): Promise<string> {
    const { kubeconfig, cached, shape, pace, read } = this.#options;
    const request = {
      kubeconfig,
      path: `${this.#path}${cached ? '&resourceVersion=0' : ''}`,
      silenceMs: LIST_SILENCE_MS,
      pace,
      stop: AbortSignal.any([stop, AbortSignal.timeout(LIST_MS)]),
    };
    return listObjects(request, shape, (object) => {
      const item = read(object);
      if (item !== undefined) onItem(item);
    });
  }

  async watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, item?: Item) => void,
    stop: AbortSignal,
  ): Promise<void> {
    const { kubeconfig, shape, pace, read } = this.#options;
    const query = `&watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
    const path = `${this.#path}${query}&timeoutSeconds=${Math.round(timeoutSeconds)}`;
    const request = { kubeconfig, path, silenceMs: SILENCE_MS, pace, stop };
    const events = watchObjects(request, shape);
    let version = resourceVersion;
    for await (const event of events) {
      if (event === 'open') {
        onChange(version);
        continue;
      }
      const { type, object } = event;
      if (type === 'ERROR') throw RequestError.of(object.value);
      version = (object.value as KubeObject).metadata?.resourceVersion ?? version;
      if (type === 'BOOKMARK') onChange(version);
      else onChange(version, type as Change, read(object));
    }
  }
}
