import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { AgentError } from '../errors.ts';
import { syncFolderSync } from '../files.ts';
import { Archive } from './archive/archive.ts';
import type { RetentionRun } from './archive/retention.ts';
import { storageOf } from './device.ts';
import { openSegment, prepareFolder, unusable } from './folder.ts';
import { lockJournal } from './lock.ts';
import { listSegments, type Position, segmentFile } from './segment.ts';
import { cutTornTail } from './torn-tail.ts';

export interface JournalOptions {
  readonly dir: string;
  /** A segment is closed when a batch takes it past this, or past this age. */
  readonly segmentMaxBytes: number;
  readonly segmentMaxAgeMs: number;
  /** Of all segments together; the oldest go first. */
  readonly maxBytes: number;
  readonly sync: 'interval' | 'always' | 'never';
  readonly syncIntervalMs: number;
  /** zstd's, of closed segments */
  readonly compressionLevel: number;
  /** Called with what went wrong in the background: syncing, compressing, removing. */
  onProblem(error: Error): void;
  /** Called with the numbers of records that were deleted for space. */
  onRetention(runs: readonly RetentionRun[]): void;
  /** Called with lines that readers see now, the first `length` bytes, up to `end`. */
  onAppended?(lines: Buffer, length: number, end: Position): void;
}

/** What a crash had left of lines that were not whole; the segment is the newest such, or the open one. */
export interface Recovered {
  readonly tornBytes: number;
  readonly segment: number;
}

/** What room would help against. */
const NO_ROOM = new Set(['EDQUOT', 'ENOSPC']);
/** What does not pass by waiting: a folder that is gone, or that may not be written to. */
const FOR_GOOD = new Set(['EACCES', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS']);

const syncData = promisify(fdatasync);

/** Opens the journal in a folder for writing, alone; throws an error of the registry. */
export function openJournal(options: JournalOptions): Journal {
  prepareFolder(options.dir);
  try {
    const unlock = lockJournal(options.dir);
    try {
      return new Journal(options, unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    throw error instanceof AgentError ? error : unusable(options.dir, error);
  }
}

/** Lines to segments on disk. Appending is synchronous: when it returns, the kernel has the lines. */
export class Journal {
  readonly recovered: Recovered;
  /** By this object. */
  writtenBytes = 0;
  readonly #options: JournalOptions;
  readonly #unlock: () => void;
  readonly #archive: Archive;
  #fd: number;
  /** Which file that is, and which folder. */
  #file: Stats;
  readonly #folder: Stats;
  #number: number;
  /** Bytes of whole lines in the open segment. */
  #size: number;
  /** What lies behind them is a failed write, and could not be taken back yet. */
  #torn = false;
  /** The last batch was not taken; readers may have seen lines of it. */
  #refused = false;
  #openedAt: number;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  /** Something was written since the last sync began. */
  #dirty = false;

  constructor(options: JournalOptions, unlock: () => void) {
    this.#options = options;
    this.#unlock = unlock;
    this.#archive = new Archive({ ...options, position: () => this.position });
    const older = this.#archive.tidy();
    const segments = listSegments(options.dir);
    const newest = segments.at(-1);
    const reopen = newest !== undefined && !newest.compressed;
    this.#number = reopen ? newest.number : (newest?.number ?? 0) + 1;
    const file = segmentFile(options.dir, { number: this.#number, compressed: false });
    const { fd, stat } = openSegment(file);
    const tornBytes = cutTornTail(fd);
    this.recovered = {
      tornBytes: tornBytes + older.tornBytes,
      segment: tornBytes === 0 && older.tornBytes > 0 ? older.segment : this.#number,
    };
    this.#fd = fd;
    this.#file = stat;
    this.#folder = statSync(options.dir);
    this.#size = stat.size - tornBytes;
    this.#openedAt = this.#size === 0 ? Date.now() : stat.birthtimeMs;
    this.#settle();
    this.#archive.start();
  }

  /** Behind the last whole line. */
  get position(): Position {
    return { segment: this.#number, offset: this.#size };
  }

  /**
   * Writes whole lines. Throws a transient AgentError when the disk does not take them now: then
   * none of them stays in the journal, and the caller can try the same lines again. Any other error
   * means that trying again is of no use.
   */
  append(lines: Buffer, length: number): void {
    try {
      if (this.#torn) this.#takeBack();
      if (this.#isDue()) this.#rotate();
    } catch (cause) {
      throw this.#failure(cause);
    }
    try {
      for (let written = 0; written < length; )
        written += writeSync(this.#fd, lines, written, length - written);
      if (this.#options.sync === 'always') fdatasyncSync(this.#fd);
    } catch (cause) {
      this.#torn = true;
      this.#refused = true;
      try {
        this.#takeBack();
      } catch (error) {
        this.#options.onProblem(error as Error);
      }
      throw this.#failure(cause);
    }
    this.#refused = false;
    this.#size += length;
    this.writtenBytes += length;
    this.#archive.note(lines.subarray(0, length), this.#number);
    if (this.#options.sync === 'interval') this.#syncSoon();
    this.#options.onAppended?.(lines, length, this.position);
  }

  /** Syncs what is written, ends what runs in the background, and lets go of the folder. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#dirty = false;
    await this.#syncing;
    await this.#archive.close();
    try {
      if (this.#options.sync !== 'never') fdatasyncSync(this.#fd);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
    closeSync(this.#fd);
    this.#removeUnused();
    this.#unlock();
  }

  #isDue(): boolean {
    const { segmentMaxBytes, segmentMaxAgeMs } = this.#options;
    if (this.#isGone()) return true;
    // A batch that was refused must come to the same place, or readers see its lines twice.
    if (this.#size === 0 || this.#refused) return false;
    return this.#size >= segmentMaxBytes || Date.now() - this.#openedAt >= segmentMaxAgeMs;
  }

  /** Somebody removed or moved the file or its folder: what comes into it, nobody would find. */
  #isGone(): boolean {
    const file = segmentFile(this.#options.dir, { number: this.#number, compressed: false });
    return !isSame(file, this.#file);
  }

  #rotate(): void {
    // Another folder needs a beginning of its own.
    if (!isSame(this.#options.dir, this.#folder))
      throw new AgentError('JOURNAL_REPLACED', { path: this.#options.dir });
    const number = this.#number + 1;
    const { fd, stat } = openSegment(segmentFile(this.#options.dir, { number, compressed: false }));
    const closed = { fd: this.#fd, syncing: this.#syncing };
    this.#settle();
    this.#fd = fd;
    this.#file = stat;
    this.#number = number;
    this.#size = stat.size;
    this.#openedAt = Date.now();
    this.#syncing = undefined;
    this.#archive.take(closed);
  }

  /**
   * Puts all lines on disk, and the names of the segments: whatever the policy, what comes behind
   * must not be there without them when the power is cut.
   */
  #settle(): void {
    try {
      fdatasyncSync(this.#fd);
      syncFolderSync(this.#options.dir);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
  }

  /**
   * Removes a segment that has no line; not behind one that the next run would go on with, whose new
   * lines would come to lie before positions that are known already.
   */
  #removeUnused(): void {
    const { dir } = this.#options;
    if (this.#size > 0 || this.#isGone()) return;
    if (listSegments(dir).at(-2)?.compressed === false) return;
    rmSync(segmentFile(dir, { number: this.#number, compressed: false }), { force: true });
  }

  #takeBack(): void {
    ftruncateSync(this.#fd, this.#size);
    this.#torn = false;
  }

  #failure(cause: unknown): AgentError {
    if (cause instanceof AgentError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const { dir, maxBytes } = this.#options;
    if (code !== undefined && FOR_GOOD.has(code)) return unusable(dir, cause);
    const values = { path: dir, storage: storageOf(dir), reason: message };
    return NO_ROOM.has(code ?? '')
      ? new AgentError('JOURNAL_FULL', { ...values, maxBytes }, { cause })
      : new AgentError('JOURNAL_DISK_FAILED', values, { cause });
  }

  #syncSoon(): void {
    this.#dirty = true;
    this.#syncTimer ??= setTimeout(() => {
      this.#syncing = this.#sync(this.#fd);
    }, this.#options.syncIntervalMs);
  }

  /** The timer counts as set until this is done: there is never a second one under way. */
  async #sync(fd: number): Promise<void> {
    this.#dirty = false;
    try {
      await syncData(fd);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
    this.#syncTimer = undefined;
    if (this.#dirty) this.#syncSoon();
  }
}

function isSame(path: string, { ino, dev }: Stats): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  return there?.ino === ino && there.dev === dev;
}
