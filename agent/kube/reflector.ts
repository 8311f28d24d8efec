import { setTimeout as pause } from 'node:timers/promises';

/** A change of an object, as a watch names it. */
export type Change = 'ADDED' | 'MODIFIED' | 'DELETED';

/** The two requests that a reflector makes. Both may throw errors with a `statusCode`. */
export interface ListWatch<Item> {
  /** Passes on each item while it is read; resolves to the version to watch from. */
  list(onItem: (item: Item) => void, stop: AbortSignal): Promise<string>;
  /**
   * Resolves when the server ends the watch. `onChange` receives each version, with an item where
   * one has changed.
   */
  watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, item?: Item) => void,
    stop: AbortSignal,
  ): Promise<void>;
}

/** Receives everything that exists, one by one, and the end unless it could not be read. */
export interface Listing<Item> {
  add(item: Item): void;
  end(): void;
}

/** What to follow, and the handlers that are called. */
export interface ReflectorOptions<Item> {
  readonly source: ListWatch<Item>;
  /** Called when a list begins. */
  onList(): Listing<Item>;
  onChange(change: Change, item: Item): void;
  /** Called when the server cannot be used; with undefined when it can be used again. */
  onProblem(problem: Error | undefined): void;
  readonly stop: AbortSignal;
  /** The first pause after a failure; each further one is twice as long. */
  readonly backoffMs?: number;
}

const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const WATCH_SECONDS = 300;
/** A watch that ends sooner than this does not prove that the server works. */
const SHORT_MS = 1000;
/**
 * This many short watches in a row without news are a problem, although each of them could begin.
 */
const USELESS_MAX = 5;
const GONE = 410;

/**
 * Lists and then watches, again and again until `stop`, with growing pauses while that fails. It
 * lists again when the server no longer has the version (410).
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
    let hasNews = false;
    let broke: unknown = new Error('the server ends every watch at once');
    try {
      if (version === undefined) {
        const listing = onList();
        version = await source.list((item) => listing.add(item), stop);
        listing.end();
        fine();
      }
      await source.watch(
        version,
        WATCH_SECONDS * (1 + Math.random()),
        (resourceVersion, change, item) => {
          if (change !== undefined || resourceVersion !== version) hasNews = true;
          if (hasNews) useless = 0;
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
      // A watch may break at any time; it is a problem when the next ones bring no news either.
      else if (!open) wrong(error);
    }
    const short = performance.now() - began < SHORT_MS;
    if (!short) failures = 0;
    useless = short && open && !hasNews ? useless + 1 : 0;
    if (useless >= USELESS_MAX) wrong(broke);
    const ms = (options.backoffMs ?? BACKOFF_MS) * 2 ** failures;
    failures += 1;
    // Jitter keeps the agents of a cluster from returning all at once.
    await pause(Math.min(ms, BACKOFF_MAX_MS) * (0.5 + Math.random()), undefined, {
      signal: stop,
      ref: false,
    }).catch(() => {});
  }
}

function isGone(error: unknown): boolean {
  return (error as { statusCode?: unknown } | null)?.statusCode === GONE;
}
