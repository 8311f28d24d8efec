import { type FSWatcher, watch } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ContainerState } from './runtime.ts';
import { type BundleFolder, hasFiles, listBundleFolders, readContainerState } from './runtimes.ts';

/**
 * The pauses between tries: a runtime makes the folder first, then the file, then starts the
 * process.
 */
const AGAIN_MS = [1, 4, 15, 50];
/** How many states are kept of containers that may end before their first record is written. */
const STATES_MAX = 512;
/** How many containers may wait for their files to be read. */
const ASKED_MAX = 4096;
const LOOK_EVERY_MS = 1000;
/** How long a record waits for the files about its container. */
const READ_MS = 1000;
/**
 * File systems that a server or another process provides: fuse, nfs, cifs, smb2, 9p, ceph
 * (linux/magic.h). They report no changes that others make, and a watch could hang.
 */
const NOT_WATCHED = new Set([0x65735546, 0x6969, 0xff534d42, 0xfe534d42, 0x01021997, 0x00c36400]);

/** What a ContainerStates calls. */
export interface StateListener {
  /** The state of a container became known. */
  onState(id: string): void;
  /** Files take longer to read than records wait for them. */
  onStalled(): void;
}

/** A container whose files are to be read. */
interface Asked {
  /** Resolves when they are read, or records do not wait for them any more. */
  readonly waiting: Promise<void>;
  readonly end: () => void;
  isLate: boolean;
}

/**
 * What the runtimes' files say about containers, by id. containerd removes a bundle as soon as its
 * container ends, which can be before the agent reads the container's first event. That is why
 * bundles are watched, and read at once when they appear.
 *
 * The file system of other files may hang. So they are read one after the other, in one thread that is not
 * the main one, and records wait for a bounded time.
 */
export class ContainerStates {
  readonly #dirs: readonly string[];
  readonly #variables: readonly string[];
  readonly #listener: StateListener;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #states = new Map<string, ContainerState>();
  readonly #asked = new Map<string, Asked>();
  /** containers whose new bundles are tried again */
  readonly #taking = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isWorking = false;
  /** Whether a call takes too long. */
  #isStalled = false;

  /** `variables` are the names of those for `ContainerState.variables`. */
  constructor(dirs: readonly string[], variables: readonly string[], listener: StateListener) {
    this.#dirs = dirs;
    this.#variables = variables;
    this.#listener = listener;
    void this.#work();
  }

  /** What is known; what is not known is read, and the listener is called. */
  read(id: string): ContainerState | undefined {
    const known = this.#states.get(id);
    if (known === undefined) this.#ask(id);
    return known;
  }

  /** Resolves after a bounded time, when the files are read if possible; undefined: they are not being read. */
  reading(id: string): Promise<void> | undefined {
    const asked = this.#asked.get(id);
    return asked === undefined || asked.isLate ? undefined : asked.waiting;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #ask(id: string): void {
    if (this.#asked.has(id) || !hasFiles(id) || this.#asked.size >= ASKED_MAX) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#giveUp(asked), READ_MS).unref();
    const asked: Asked = {
      waiting: promise,
      isLate: this.#isStalled,
      end() {
        clearTimeout(timer);
        resolve();
      },
    };
    this.#asked.set(id, asked);
    void this.#work();
  }

  #giveUp(asked: Asked): void {
    asked.isLate = true;
    asked.end();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    await this.#bounded(() => this.#look());
    // Others may be added meanwhile.
    for (const [id, asked] of this.#asked) {
      await this.#bounded(() => this.#readFiles(id));
      this.#asked.delete(id);
      asked.end();
    }
    this.#isWorking = false;
  }

  /** Makes nobody wait for what takes too long. */
  async #bounded(job: () => Promise<void>): Promise<void> {
    const timer = setTimeout(() => {
      this.#isStalled = true;
      for (const asked of this.#asked.values()) this.#giveUp(asked);
      this.#listener.onStalled();
    }, READ_MS).unref();
    await job();
    clearTimeout(timer);
    this.#isStalled = false;
  }

  async #readFiles(id: string): Promise<void> {
    // Its creation was not seen; its runtime may have been started after the agent.
    await this.#look();
    if (this.#states.has(id)) return;
    const state = await readContainerState(id, this.#dirs, this.#variables);
    if (state !== undefined) this.#keep(id, state);
  }

  #keep(id: string, state: ContainerState): void {
    this.#states.set(id, state);
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= STATES_MAX) break;
      this.#states.delete(oldest);
    }
    this.#listener.onState(id);
  }

  async #look(): Promise<void> {
    if (performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = performance.now();
    for (const found of await listBundleFolders(this.#dirs))
      if (!this.#watchers.has(found.folder)) await this.#watch(found);
  }

  async #watch({ folder, readNew }: BundleFolder): Promise<void> {
    try {
      if (NOT_WATCHED.has((await statfs(folder)).type)) return;
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // The folder itself was removed; #look() finds it when it is made again.
        if (name === basename(folder)) forget();
        else if (name !== null && hasFiles(name) && !this.#taking.has(name))
          this.#take(name, () => readNew(`${folder}/${name}`, this.#variables), 0);
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

  #take(id: string, readNew: () => ContainerState | undefined, attempt: number): void {
    this.#taking.delete(id);
    if (this.#states.has(id)) return;
    const state = readNew();
    const ms = AGAIN_MS[attempt];
    if (state !== undefined) this.#keep(id, state);
    else if (ms === undefined) this.#ask(id);
    else {
      this.#taking.add(id);
      setTimeout(() => this.#take(id, readNew, attempt + 1), ms).unref();
    }
  }
}
