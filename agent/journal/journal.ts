import type { Stats } from 'node:fs';
import { type FileHandle, rm, stat } from 'node:fs/promises';
import type { LineNotes } from '../../record/index/line-notes.ts';
import { SegmentNotes } from '../../record/index/segment-notes.ts';
import type { HashParts } from '../../record/tree/hashes.ts';
import { AgentError } from '../errors.ts';
import { Archive, type UpkeepFailed, upkeepFailed } from './archive/archive.ts';
import type { DeletedRange } from './archive/retention.ts';
import { type Recovered, tidySegments } from './archive/tidy.ts';
import { type Resumed, resumeChain } from './checkpoints/resume-chain.ts';
import { type MakeLine, Sealing } from './checkpoints/sealing.ts';
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
import { Syncing } from './syncing.ts';

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
  /** How long after a line a checkpoint follows. */
  readonly checkpointIntervalMs: number;
  /** Positions that the journal had reached, as far as others know. */
  readonly known?: readonly Position[];
  /** Hashes chunks for checkpoints faster than Node does. */
  readonly hashParts?: HashParts | undefined;
  /** Returns the time on the boot clock, in milliseconds: it includes suspend, and nobody sets it. */
  now(): number;
  report(event: UpkeepFailed): void;
}

/**
 * Takes lines that readers can see now: the first `length` bytes, which end at `end`. A checkpoint may
 * leave the node once `settled` resolves: then no power cut takes it away.
 */
export type Follower = (
  lines: Buffer,
  length: number,
  end: Position,
  settled?: Promise<void>,
) => void;

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
  const resumed = await resumeChain(dir, endOf(open), options.known ?? [], options.hashParts);
  const archive = new Archive(options, endOf(open));
  const folder = await stat(dir);
  const journal = new Journal(options, { open, recovered, resumed, archive, folder, unlock });
  await journal.settle();
  archive.start();
  return journal;
}

/** The parts of a journal that is opened. */
interface Opened {
  readonly open: OpenSegment;
  readonly recovered: Recovered;
  readonly resumed: Resumed;
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
  readonly #resumed: Resumed;
  readonly #unlock: () => void;
  #open: OpenSegment;
  /** what its lines have; undefined: not all of them were noted */
  #notes: SegmentNotes | undefined;
  /** Whether a failed write follows the lines of the open segment, and must be cut off. */
  #torn = false;
  /** Whether the last batch was refused; readers may have seen lines of it. */
  #refused = false;
  #follower: Follower = () => {};
  /** undefined: nobody makes checkpoints yet */
  #sealing: Sealing | undefined;
  /** a checkpoint that is being written */
  #writingCheckpoint: Promise<void> | undefined;
  #isAppending = false;
  readonly #syncing: Syncing;

  constructor(
    options: JournalOptions,
    { open, recovered, resumed, archive, folder, unlock }: Opened,
  ) {
    this.#options = options;
    this.#open = open;
    this.#notes = open.size === 0 ? new SegmentNotes() : undefined;
    this.recovered = recovered;
    this.#archive = archive;
    this.#folder = folder;
    this.#resumed = resumed;
    this.#syncing = new Syncing({ ...options, open: () => this.#open });
    this.#unlock = unlock;
  }

  /** The position after the last whole line. */
  get position(): Position {
    return endOf(this.#open);
  }

  /** The position after what survives a power cut; undefined: no sync has succeeded yet. */
  get durable(): Position | undefined {
    return this.#syncing.durable;
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
   * Begins to write checkpoints, whose lines `make` makes. Where nobody calls seal(), one that is due is
   * written at a time when `mayInterject` returns true.
   */
  sealWith(make: MakeLine, mayInterject: () => boolean): void {
    const intervalMs = this.#options.checkpointIntervalMs;
    const onDue = () => {
      if (!this.#isAppending && mayInterject()) void this.seal({ ifDue: true });
    };
    this.#sealing = new Sealing(this.#resumed, { intervalMs, make, onDue });
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
    this.#isAppending = true;
    try {
      await this.#writingCheckpoint;
      await this.#prepare();
      await this.#write(lines, length);
    } finally {
      this.#isAppending = false;
    }
    this.#sealing?.add(lines, length);
    this.#wrote(lines, length, notes);
  }

  /**
   * Writes a checkpoint behind everything that is written so far, unless the last line is one; with
   * `ifDue`, only at the end of a block or of the segment. A failure is reported, and the next call writes
   * the same.
   */
  async seal({ ifDue = false } = {}): Promise<void> {
    this.#writingCheckpoint ??= this.#trySeal(ifDue).finally(() => {
      this.#writingCheckpoint = undefined;
    });
    await this.#writingCheckpoint;
  }

  async #trySeal(ifDue: boolean): Promise<void> {
    const sealing = this.#sealing;
    if (sealing === undefined) return;
    const isDue = sealing.isDue || sealing.isPending || this.#isFull();
    if (ifDue && !isDue) return;
    try {
      await this.#writeCheckpoint();
    } catch (error) {
      sealing.retryLater();
      this.#options.report(upkeepFailed(error));
    }
  }

  /** Makes room for a batch: what must stand before it is written, in the segment that it belongs to. */
  async #prepare(): Promise<void> {
    try {
      if (this.#torn) await this.#takeBack();
      if (this.#sealing?.isPending) await this.#writeCheckpoint();
      if (await this.#isDue()) await this.#rotate();
    } catch (cause) {
      throw await this.#failure(cause);
    }
  }

  async #write(lines: Buffer, length: number): Promise<void> {
    try {
      await writeAll(this.#open.handle, lines, length);
      if (this.#options.sync === 'always') await this.#syncing.all();
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
  }

  async #writeCheckpoint(): Promise<void> {
    // A batch that was refused comes first, where readers may have seen it.
    const line = this.#refused && !this.#sealing?.isPending ? undefined : this.#sealing?.next();
    if (line === undefined) return;
    if (this.#torn) await this.#takeBack();
    await this.#write(line.bytes, line.bytes.length);
    this.#sealing?.written(line);
    this.#wrote(line.bytes, line.bytes.length, line.notes, this.#syncing.now());
  }

  /** Notes lines that are in the journal now. */
  #wrote(lines: Buffer, length: number, notes?: LineNotes, settled?: Promise<void>): void {
    this.#open.size += length;
    this.writtenBytes += length;
    if (notes === undefined) this.#notes = undefined;
    else this.#notes?.add(notes);
    const end = this.position;
    this.#syncing.grown();
    this.#archive.note(lines.subarray(0, length), end);
    this.#follower(lines, length, end, settled);
  }

  /** Puts on disk what an earlier run has left. */
  async settle(): Promise<void> {
    await this.#syncing.settle();
  }

  /** Syncs what is written, ends the work in the background, and releases the folder. */
  async close(): Promise<void> {
    this.#syncing.stop();
    this.#sealing?.stop();
    await this.#writingCheckpoint;
    // The work in the background can take much longer than the policy allows.
    await this.#syncing.close();
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

  /** Whether the next lines go in another segment. */
  async #isDue(): Promise<boolean> {
    // Nobody would find lines in a segment that was removed or moved, alone or with its folder.
    if (!(await isThere(this.#options.dir, this.#open))) return true;
    // A batch that was refused must be written at the same position, or readers see its lines
    // twice. And the last line of a segment is a checkpoint.
    return !this.#refused && !this.#sealing?.hasLines && this.#isFull();
  }

  /** Whether the open segment is as large or as old as a segment becomes. */
  #isFull(): boolean {
    const { segmentMaxBytes, segmentMaxAgeMs, now } = this.#options;
    const { size, begunAt } = this.#open;
    return size > 0 && (size >= segmentMaxBytes || now() - begunAt >= segmentMaxAgeMs);
  }

  async #rotate(): Promise<void> {
    const { dir, now } = this.#options;
    // Another folder would need a journal.start of its own.
    if (!(await isSameFile(dir, this.#folder)))
      throw new AgentError('JOURNAL_REPLACED', { path: dir });
    if (this.#notes !== undefined) this.#archive.keepNotes(this.#open.number, this.#notes);
    await this.#syncing.complete();
    const next = await openNext(dir, this.#open, now());
    // From here on nothing may come in between: a sync that begins later is one of `next`.
    const { handle, size: bytes } = this.#open;
    const closed = { handle, bytes, syncing: this.#syncing.next() };
    this.#open = next;
    this.#notes = next.size === 0 ? new SegmentNotes() : undefined;
    this.#sealing?.nextSegment();
    await this.#syncing.settle();
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
}

/** Writes the first `length` bytes; the disk may take them in parts. */
async function writeAll(handle: FileHandle, lines: Buffer, length: number): Promise<void> {
  for (let written = 0; written < length; ) {
    const { bytesWritten } = await handle.write(lines, written, length - written);
    written += bytesWritten;
  }
}
