import { syncFolder } from '../files.ts';
import { type UpkeepFailed, upkeepFailed } from './archive/archive.ts';
import { endOf, type OpenSegment } from './open-segment.ts';
import type { Position } from './segment.ts';

interface SyncingOptions {
  readonly dir: string;
  readonly sync: 'interval' | 'always' | 'never';
  readonly syncIntervalMs: number;
  /** Returns the segment that is being written. */
  open(): OpenSegment;
  report(event: UpkeepFailed): void;
}

/** Puts the lines of the open segment, and its name, on disk. */
export class Syncing {
  readonly #options: SyncingOptions;
  #durable: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** a sync that has not begun yet */
  #queued: Promise<void> | undefined;
  /** Who waits until what is before a position is on disk. */
  #waiting: { readonly end: Position; readonly resolve: () => void }[] = [];
  /** Whether something was written since the last sync began, or that sync failed. */
  #dirty = false;
  /** Whether the last sync failed. */
  #isFailing = false;
  #isClosing = false;
  /** Whether the names of segments are not sure to be on disk. */
  #areNamesDue = true;

  constructor(options: SyncingOptions) {
    this.#options = options;
  }

  /** The position after what survives a power cut; undefined: no sync has succeeded yet. */
  get durable(): Position | undefined {
    return this.#durable;
  }

  /** Notes that the segment has grown, and, by the policy, syncs it later. */
  grown(): void {
    const { sync, open } = this.#options;
    if (sync === 'always') this.#durable = endOf(open());
    if (sync === 'interval') this.#later();
  }

  /**
   * Begins a sync behind the one that runs. Resolves when everything that is written by now is on disk;
   * with the policy never to sync, when that was tried.
   */
  now(): Promise<void> {
    const end = endOf(this.#options.open());
    const settled = new Promise<void>((resolve) => this.#waiting.push({ end, resolve }));
    if (this.#queued === undefined) {
      this.#queued = Promise.resolve(this.#running).then(() => this.#tryNow());
      this.#running = this.#queued;
    }
    return settled;
  }

  /**
   * Puts on disk what an earlier run has left. If that fails, a later sync tries it again, unless the
   * policy is never to sync.
   */
  async settle(): Promise<void> {
    await this.#try();
    if (this.#isFailing && this.#options.sync === 'interval') this.#later();
  }

  /**
   * Syncs the open segment before the next one is there: after a power cut, lines of the next one must
   * not be there without those of this one. With the policy `never` that is tried, too, but a disk that
   * cannot sync ends no recording.
   */
  async complete(): Promise<void> {
    const { sync, open } = this.#options;
    if (sync === 'never') await this.#try();
    else await open().handle.datasync();
    this.#release(endOf(open()));
  }

  /** Begins with the next segment; returns a sync of the one before that may still run. */
  next(): Promise<void> | undefined {
    const running = this.#running;
    this.#running = undefined;
    this.#areNamesDue = true;
    return running;
  }

  async #tryNow(): Promise<void> {
    this.#queued = undefined;
    await this.#try();
    const { sync, open } = this.#options;
    if (sync === 'never') this.#release(endOf(open()));
    else if (this.#isFailing && !this.#isClosing) this.#later();
  }

  #release(position: Position): void {
    const isOnDisk = ({ segment, offset }: Position) =>
      segment < position.segment || (segment === position.segment && offset <= position.offset);
    for (const { resolve } of this.#waiting.filter(({ end }) => isOnDisk(end))) resolve();
    this.#waiting = this.#waiting.filter(({ end }) => !isOnDisk(end));
  }

  /** Syncs, and reports the first of several failures in a row. */
  async #try(): Promise<void> {
    try {
      await this.all();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.report(upkeepFailed(error));
      this.#isFailing = true;
      this.#dirty = true;
    }
  }

  /** Puts on disk what is written so far, and the name of its segment; throws if that fails. */
  async all(): Promise<void> {
    const open = this.#options.open();
    const end = endOf(open);
    this.#dirty = false;
    await open.handle.datasync();
    if (this.#areNamesDue) await syncFolder(this.#options.dir);
    this.#release(end);
    // A rotation has synced more than this by now.
    if (open !== this.#options.open()) return;
    this.#areNamesDue = false;
    this.#durable = end;
  }

  /** Ends the syncs. The last one is of everything, except with the policy never to sync. */
  async close(): Promise<void> {
    this.stop();
    await this.#running;
    if (this.#options.sync !== 'never') await this.#try();
  }

  /** Sets no timer any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#isClosing = true;
  }

  #later(): void {
    this.#dirty = true;
    this.#timer ??= setTimeout(() => {
      this.#running = this.#endOfInterval(this.#running);
    }, this.#options.syncIntervalMs);
  }

  /** The timer counts as set until this has ended. `before` is a sync that may still run. */
  async #endOfInterval(before: Promise<void> | undefined): Promise<void> {
    await before;
    await this.#try();
    this.#timer = undefined;
    if (this.#dirty && !this.#isClosing) this.#later();
  }
}
