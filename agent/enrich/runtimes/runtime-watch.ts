import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import type { ContainerState } from './runtime-config.ts';
import { listBundleFolders, readContainerState } from './runtime-state.ts';

/** containerd makes a bundle's folder, then its file, then starts a shim and runc. */
const AGAIN_MS = [1, 4, 15, 50];
/** What is kept of containers that may be gone before their first record is written. */
const STATES_MAX = 512;
const LOOK_EVERY_MS = 1000;

/**
 * Container states by id. containerd removes its bundle as soon as the container ends, which can be
 * sooner than its first event is read: so bundles are read when they are made.
 */
export class RuntimeWatch {
  readonly #dirs: readonly string[];
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #states = new Map<string, ContainerState>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(dirs: readonly string[]) {
    this.#dirs = dirs;
    this.#look();
  }

  read(id: string): ContainerState | undefined {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    // Not seen when it was made: a runtime that came later than the agent?
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
        // It is gone itself: when it is made again, it is looked for again.
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
      // Gone again, or no watches left: then the file is read when it is asked for.
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
