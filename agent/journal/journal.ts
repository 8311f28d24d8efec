import type { Stats } from 'node:fs';
import { type FileHandle, rm, stat } from 'node:fs/promises';
import type { LineNotes } from '../../record/index/line-notes.ts';
import { SegmentNotes } from '../../record/index/segment-notes.ts';
import { AgentError } from '../errors.ts';
import { syncFolder } from '../files.ts';
import { Archive, type UpkeepFailed, upkeepFailed } from './archive/archive.ts';
import type { DeletedRange } from './archive/retention.ts';
import { type Recovered, tidySegments } from './archive/tidy.ts';
import { isNoRoom, storageOf } from './device.ts';
import { prepareFolder, unusable } from './folder.ts';
import { lockJournal } from './lock.ts';
import {
  endOf,
  isSameFile,
  isThere,
  type OpenSegment,
  openNewest,
  openNext,
} from './open-segment.ts';
import { listSegments, type Position, segmentFile } from './segment.ts';

export interface JournalOptions {
  readonly dir: string;
  /** A segment is closed when it is larger or older than this. */
  readonly segmentMaxBytes: number;
  readonly segmentMaxAgeMs: number;
  /** The size of all segments together; the oldest are deleted first. */
  readonly maxBytes: number;
  readonly sync: 'interval' | 'always' | 'never';
  readonly syncIntervalMs: number;
  /** zstd's level for closed segments */
  readonly compressionLevel: number;
  /** Returns the time on the boot clock, in milliseconds: it includes suspend, and nobody sets it. */
  now(): number;
  report(event: UpkeepFailed): void;
}

/** Takes lines that readers can see now: the first `length` bytes, which end at `end`. */
export type Follower = (lines: Buffer, length: number, end: Position) => void;

/** Errors that do not pass: the folder was removed, or may not be written to. */
const FOR_GOOD = new Set(['EACCES', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS']);

/** Opens the journal in a folder for writing, alone; throws an error of the registry. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  prepareFolder(options.dir);
  try {
    const unlock = await lockJournal(options.dir);
    try {
      return await openLocked(options, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    throw error instanceof AgentError ? error : unusable(options.dir, error);
  }
}

async function openLocked(options: JournalOptions, unlock: () => void): Promise<Journal> {
  const { dir, report } = options;
  const older = await tidySegments(dir, (error) => report(upkeepFailed(error)));
  const { tornBytes, ...open } = await openNewest(dir, options.now());
  const recovered = {
    tornBytes: tornBytes + older.tornBytes,
    segment: tornBytes === 0 && older.tornBytes > 0 ? older.segment : open.number,
  };
  const archive = new Archive(options, endOf(open));
  const folder = await stat(dir);
  const journal = new Journal(options, { open, recovered, archive, folder, unlock });
  await journal.settle();
  archive.start();
  return journal;
}

/** The parts of a journal that is opened. */
interface Opened {
  readonly open: OpenSegment;
  readonly recovered: Recovered;
  readonly archive: Archive;
  /** The folder at that time, to notice later if another folder has its name. */
  readonly folder: Stats;
  readonly unlock: () => void;
}

/**
 * Lines to segments on disk. No call holds up the event loop, however long the disk takes. There is
 * one call at a time: the next one waits until the last one has ended.
 */
export class Journal {
  /** Torn lines that were cut; the segment is the newest that had one, or the open one. */
  readonly recovered: Recovered;
  /** Bytes that this object has written. */
  writtenBytes = 0;
  readonly #options: JournalOptions;
  readonly #archive: Archive;
  readonly #folder: Stats;
  readonly #unlock: () => void;
  #open: OpenSegment;
  /** what its lines have; undefined: not all of them were noted */
  #notes: SegmentNotes | undefined;
  #durable: Position | undefined;
  /** Whether a failed write follows the lines of the open segment, and must be cut off. */
  #torn = false;
  /** Whether the last batch was refused; readers may have seen lines of it. */
  #refused = false;
  #follower: Follower = () => {};
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  /** Whether something was written since the last sync began, or that sync failed. */
  #dirty = false;
  /** Whether the last sync failed. */
  #isFailing = false;
  #isClosing = false;
  /** Whether the names of segments are not sure to be on disk. */
  #areNamesDue = true;

  constructor(options: JournalOptions, { open, recovered, archive, folder, unlock }: Opened) {
    this.#options = options;
    this.#open = open;
    this.#notes = open.size === 0 ? new SegmentNotes() : undefined;
    this.recovered = recovered;
    this.#archive = archive;
    this.#folder = folder;
    this.#unlock = unlock;
  }

  /** The position after the last whole line. */
  get position(): Position {
    return endOf(this.#open);
  }

  /** The position after what survives a power cut; undefined: no sync has succeeded yet. */
  get durable(): Position | undefined {
    return this.#durable;
  }

  /** Returns the closed segments, the oldest first, and what all of them take on disk. */
  closed(): ReturnType<Archive['closed']> {
    return this.#archive.closed();
  }

  /** Sets the only follower, which receives what is appended from now on. */
  follow(follower: Follower): void {
    this.#follower = follower;
  }

  /**
   * Returns what was deleted for space since the last call, for the journal to record as losses.
   */
  takeRetired(): readonly DeletedRange[] {
    return this.#archive.takeRetired();
  }

  /** Returns the same of records with unknown numbers: a hook for each deletion. */
  takeRetiredUnknown(): readonly string[] {
    return this.#archive.takeRetiredUnknown();
  }

  /**
   * Writes whole lines; once this resolves, the kernel has them. `lines` must not change until then.
   * With notes of them, closing the segment costs less.
   * Rejects with a transient AgentError if the disk does not accept them now: then none of them stays
   * in the journal, and the caller can retry the same lines. After any other error a retry is of no
   * use.
   */
  async append(lines: Buffer, length: number, notes?: LineNotes): Promise<void> {
    try {
      if (this.#torn) await this.#takeBack();
      if (await this.#isDue()) await this.#rotate();
    } catch (cause) {
      throw await this.#failure(cause);
    }
    try {
      await writeAll(this.#open.handle, lines, length);
      if (this.#options.sync === 'always') await this.#syncOpen();
    } catch (cause) {
      this.#torn = true;
      this.#refused = true;
      try {
        await this.#takeBack();
      } catch (error) {
        this.#options.report(upkeepFailed(error));
      }
      throw await this.#failure(cause);
    }
    this.#refused = false;
    this.#open.size += length;
    this.writtenBytes += length;
    if (notes === undefined) this.#notes = undefined;
    else this.#notes?.add(notes);
    const end = this.position;
    if (this.#options.sync === 'always') this.#durable = end;
    this.#archive.note(lines.subarray(0, length), end);
    if (this.#options.sync === 'interval') this.#syncSoon();
    this.#follower(lines, length, end);
  }

  /**
   * Puts on disk what an earlier run has left. If that fails, a later sync tries it again, unless the
   * policy is never to sync.
   */
  async settle(): Promise<void> {
    await this.#trySync();
    if (this.#isFailing && this.#options.sync === 'interval') this.#syncSoon();
  }

  /** Syncs what is written, ends the work in the background, and releases the folder. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#isClosing = true;
    await this.#syncing;
    // The work in the background can take much longer than the policy allows.
    if (this.#options.sync !== 'never') await this.#trySync();
    await this.#archive.close();
    await this.#open.handle.close();
    try {
      await this.#removeUnused();
      this.#unlock();
    } catch (error) {
      // A lock of a process that has ended locks nothing.
      this.#options.report(upkeepFailed(error));
    }
  }

  async #isDue(): Promise<boolean> {
    const { dir, segmentMaxBytes, segmentMaxAgeMs, now } = this.#options;
    const { size, begunAt } = this.#open;
    // Nobody would find lines in a segment that was removed or moved, alone or with its folder.
    if (!(await isThere(dir, this.#open))) return true;
    // A batch that was refused must be written at the same position, or readers see its lines
    // twice.
    if (size === 0 || this.#refused) return false;
    return size >= segmentMaxBytes || now() - begunAt >= segmentMaxAgeMs;
  }

  async #rotate(): Promise<void> {
    const { dir, now, sync } = this.#options;
    // Another folder would need a journal.start of its own.
    if (!(await isSameFile(dir, this.#folder)))
      throw new AgentError('JOURNAL_REPLACED', { path: dir });
    if (this.#notes !== undefined) this.#archive.keepNotes(this.#open.number, this.#notes);
    // After a power cut, lines of the next segment must not be there without those of this one. With
    // the policy `never` that is tried, too, but a disk that cannot sync ends no recording.
    if (sync === 'never') await this.#trySync();
    else await this.#open.handle.datasync();
    const next = await openNext(dir, this.#open, now());
    // From here on nothing may come in between: a sync that begins later is one of `next`.
    const { handle, size: bytes } = this.#open;
    const closed = { handle, bytes, syncing: this.#syncing };
    this.#open = next;
    this.#notes = next.size === 0 ? new SegmentNotes() : undefined;
    this.#syncing = undefined;
    this.#areNamesDue = true;
    await this.#trySync();
    this.#archive.take(closed, this.position);
  }

  /**
   * Removes the open segment if it has no line. It stays if the next run would then append to the
   * segment before, or count from 1 again because all others were deleted for space: those lines
   * would lie before positions that are already known.
   */
  async #removeUnused(): Promise<void> {
    const { dir } = this.#options;
    const { number, size } = this.#open;
    if (size > 0 || !(await isThere(dir, this.#open))) return;
    const before = (await listSegments(dir)).at(-2);
    if (before === undefined ? number > 1 : !before.compressed) return;
    await rm(segmentFile(dir, { number, compressed: false }), { force: true });
  }

  async #takeBack(): Promise<void> {
    await this.#open.handle.truncate(this.#open.size);
    this.#torn = false;
  }

  async #failure(cause: unknown): Promise<AgentError> {
    if (cause instanceof AgentError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const { dir, maxBytes } = this.#options;
    if (code !== undefined && FOR_GOOD.has(code)) return unusable(dir, cause);
    const values = { path: dir, storage: await storageOf(dir), reason: message };
    return isNoRoom(cause)
      ? new AgentError('JOURNAL_FULL', { ...values, maxBytes }, { cause })
      : new AgentError('JOURNAL_DISK_FAILED', values, { cause });
  }

  #syncSoon(): void {
    this.#dirty = true;
    this.#syncTimer ??= setTimeout(() => {
      this.#syncing = this.#syncLater();
    }, this.#options.syncIntervalMs);
  }

  /** The timer counts as set until this has ended, so that there is never a second sync. */
  async #syncLater(): Promise<void> {
    await this.#trySync();
    this.#syncTimer = undefined;
    if (this.#dirty && !this.#isClosing) this.#syncSoon();
  }

  /** Syncs, and reports the first of several failures in a row. */
  async #trySync(): Promise<void> {
    try {
      await this.#syncOpen();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.report(upkeepFailed(error));
      this.#isFailing = true;
      this.#dirty = true;
    }
  }

  /** Puts on disk what is written so far, and the name of its segment. */
  async #syncOpen(): Promise<void> {
    const open = this.#open;
    const end = endOf(open);
    this.#dirty = false;
    await open.handle.datasync();
    if (this.#areNamesDue) await syncFolder(this.#options.dir);
    // A rotation has synced more than this by now.
    if (open !== this.#open) return;
    this.#areNamesDue = false;
    this.#durable = end;
  }
}

/** Writes the first `length` bytes; the disk may take them in parts. */
async function writeAll(handle: FileHandle, lines: Buffer, length: number): Promise<void> {
  for (let written = 0; written < length; ) {
    const { bytesWritten } = await handle.write(lines, written, length - written);
    written += bytesWritten;
  }
}
