import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import type { ContainerState } from './runtime.ts';
import { listBundleFolders, readContainerState } from './runtimes.ts';

/**
 * The pauses between tries: a runtime makes the folder first, then the file, then starts the
 * process.
 */
const AGAIN_MS = [1, 4, 15, 50];
/** How many states are kept of containers that may end before their first record is written. */
const STATES_MAX = 512;
const LOOK_EVERY_MS = 1000;

/**
 * What the runtimes' files say about containers, by id. containerd removes a bundle as soon as its
 * container ends, which can be before the agent reads the container's first event. That is why
 * bundles are watched, and read as soon as they appear.
 */
export class ContainerStates {
  readonly #dirs: readonly string[];
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #states = new Map<string, ContainerState>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(dirs: readonly string[]) {
    this.#dirs = dirs;
    this.#look();
  }

  /** What was read when the container was made, or what can be read now. */
  read(id: string): ContainerState | undefined {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    // Its creation was not seen; its runtime may have been started after the agent.
    this.#look();
    return readContainerState(id, this.#dirs);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #look(): void {
    if (performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = performance.now();
    for (const folder of listBundleFolders(this.#dirs))
      if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // The folder itself was removed; #look() finds it when it is made again.
        if (name === basename(folder)) forget();
        else if (name !== null && /^[0-9a-f]{64}$/.test(name)) this.#take(name, 0);
      });
      const forget = () => {
        watcher.close();
        this.#watchers.delete(folder);
      };
      this.#watchers.set(folder, watcher);
      watcher.on('error', forget);
    } catch {
      // It was removed again, or no watches are left: read() reads the file on demand.
    }
  }

  #take(id: string, attempt: number): void {
    if (this.#states.has(id)) return;
    const state = readContainerState(id, this.#dirs);
    if (state === undefined) {
      const ms = AGAIN_MS[attempt];
      if (ms !== undefined) setTimeout(() => this.#take(id, attempt + 1), ms).unref();
      return;
    }
    this.#states.set(id, state);
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= STATES_MAX) break;
      this.#states.delete(oldest);
    }
  }
}
