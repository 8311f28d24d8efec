import { setTimeout as pause } from 'node:timers/promises';

/** What a list gives: the items, and the version to watch from. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly resourceVersion: string;
}

export type Change = 'ADDED' | 'MODIFIED' | 'DELETED';

/** The two requests that a reflector makes; both throw errors that may carry a `statusCode`. */
export interface ListWatch<Item> {
  list(stop: AbortSignal): Promise<Listed<Item>>;
  /** Ends when the server closes; `onChange` gets an item, or (undefined) only a newer version. */
  watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, item?: Item) => void,
    stop: AbortSignal,
  ): Promise<void>;
}

export interface ReflectorOptions<Item> {
  readonly source: ListWatch<Item>;
  /** All that there is. */
  onList(items: readonly Item[]): void;
  onChange(change: Change, item: Item): void;
  /** Called when the server cannot be used, and (undefined) when it can again. */
  onProblem(problem: Error | undefined): void;
  readonly stop: AbortSignal;
  /** The first pause after a failure; later ones double. */
  readonly backoffMs?: number;
}

const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const WATCH_SECONDS = 300;
/** A turn that ends sooner than this tells nothing good about the server. */
const SHORT_MS = 1000;
/** So many short watches in a row that told nothing are a problem, although each could begin. */
const USELESS_MAX = 5;
const GONE = 410;

/**
 * Lists, then watches from there on, until `stop`: again and again, with pauses that grow while it
 * fails. A version that has expired (410) leads to a new list.
 */
export async function reflect<Item>(options: ReflectorOptions<Item>): Promise<void> {
  const { source, onList, onChange, onProblem, stop } = options;
  let version: string | undefined;
  let failures = 0;
  let useless = 0;
  let problem = false;
  const wrong = (error: unknown) => {
    if (!problem) onProblem(error instanceof Error ? error : new Error(String(error)));
    problem = true;
  };
  const fine = () => {
    if (useless >= USELESS_MAX) return;
    if (problem) onProblem(undefined);
    problem = false;
  };
  while (!stop.aborted) {
    const began = performance.now();
    let open = false;
    let told = false;
    let broke: unknown = new Error('the server ends every watch at once');
    try {
      if (version === undefined) {
        version = await listed(source, onList, stop);
        fine();
      }
      await source.watch(
        version,
        WATCH_SECONDS * (1 + Math.random()),
        (resourceVersion, change, item) => {
          if (change !== undefined || resourceVersion !== version) told = true;
          if (told) useless = 0;
          version = resourceVersion;
          open = true;
          fine();
          if (change !== undefined && item !== undefined) onChange(change, item);
        },
        stop,
      );
    } catch (error) {
      if (stop.aborted) return;
      broke = error;
      if (isGone(error)) version = undefined;
      // A watch may break; whether there is a problem shows when the next ones tell nothing.
      else if (!open) wrong(error);
    }
    const short = performance.now() - began < SHORT_MS;
    if (!short) failures = 0;
    useless = short && open && !told ? useless + 1 : 0;
    if (useless >= USELESS_MAX) wrong(broke);
    const ms = (options.backoffMs ?? BACKOFF_MS) * 2 ** failures;
    failures += 1;
    // Jitter, so that the agents of a cluster do not come back all at once.
    await pause(Math.min(ms, BACKOFF_MAX_MS) * (0.5 + Math.random()), undefined, {
      signal: stop,
      ref: false,
    }).catch(() => {});
  }
}

/** On its own, so that a list of large items is not kept as long as the watch lasts. */
async function listed<Item>(
  source: ListWatch<Item>,
  onList: (items: readonly Item[]) => void,
  stop: AbortSignal,
): Promise<string> {
  const { items, resourceVersion } = await source.list(stop);
  onList(items);
  return resourceVersion;
}

function isGone(error: unknown): boolean {
  return (error as { statusCode?: unknown } | null)?.statusCode === GONE;
}
