import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { AgentError } from '../errors.ts';
import { Archive } from './archive.ts';
import { openSegment, prepareFolder, unusable } from './folder.ts';
import { lockJournal } from './lock.ts';
import type { RetentionRun } from './retention.ts';
import { listSegments, type Position, segmentFile } from './segment.ts';
import { cutTornTail } from './tail.ts';

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
}

/** What a crash had left at the end of the newest segment. */
export interface Recovered {
  readonly tornBytes: number;
  readonly segment: number;
}

/** What does not pass by waiting: a folder that is gone, or that may not be written to. */
const FOR_GOOD = new Set(['EACCES', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS']);

const syncData = promisify(fdatasync);

/** Opens the journal in a folder for writing, alone; throws JOURNAL_UNUSABLE or JOURNAL_BUSY. */
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
  readonly #options: JournalOptions;
  readonly #unlock: () => void;
  readonly #archive: Archive;
  #fd: number;
  #number: number;
  /** Bytes of whole lines in the open segment. */
  #size: number;
  /** What lies behind them is a failed write, and could not be taken back yet. */
  #torn = false;
  #openedAt: number;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;

  constructor(options: JournalOptions, unlock: () => void) {
    this.#options = options;
    this.#unlock = unlock;
    this.#archive = new Archive(options);
    const segments = listSegments(options.dir);
    const newest = segments.at(-1);
    const reopen = newest !== undefined && !newest.compressed;
    this.#number = reopen ? newest.number : (newest?.number ?? 0) + 1;
    const file = segmentFile(options.dir, { number: this.#number, compressed: false });
    const { fd, size } = openSegment(file);
    const tornBytes = cutTornTail(fd);
    this.recovered = { tornBytes, segment: this.#number };
    this.#fd = fd;
    this.#size = size - tornBytes;
    this.#openedAt = this.#size === 0 ? Date.now() : fstatSync(fd).birthtimeMs;
    this.#archive.tidy(this.#number);
  }

  /** Behind the last whole line. */
  get position(): Position {
    return { segment: this.#number, offset: this.#size };
  }

  /**
   * Writes whole lines. Throws JOURNAL_FULL when the disk does not take them now: then nothing of
   * them stays, and the same lines can be tried again. Throws JOURNAL_UNUSABLE when trying again
   * is no use.
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
      try {
        this.#takeBack();
      } catch (error) {
        this.#options.onProblem(error as Error);
      }
      throw this.#failure(cause);
    }
    this.#size += length;
    if (this.#options.sync === 'interval') this.#syncSoon();
  }

  /** Syncs what is written, ends what runs in the background, and lets go of the folder. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    await this.#syncing;
    await this.#archive.close();
    try {
      if (this.#options.sync !== 'never') fdatasyncSync(this.#fd);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
    closeSync(this.#fd);
    if (this.#size === 0)
      rmSync(segmentFile(this.#options.dir, { number: this.#number, compressed: false }), {
        force: true,
      });
    this.#unlock();
  }

  #isDue(): boolean {
    const { segmentMaxBytes, segmentMaxAgeMs } = this.#options;
    // Somebody removed the file: what is written into it, nobody can read.
    if (fstatSync(this.#fd).nlink === 0) return true;
    if (this.#size === 0) return false;
    return this.#size >= segmentMaxBytes || Date.now() - this.#openedAt >= segmentMaxAgeMs;
  }

  #rotate(): void {
    const number = this.#number + 1;
    const { fd, size } = openSegment(segmentFile(this.#options.dir, { number, compressed: false }));
    const closed = this.#fd;
    this.#fd = fd;
    this.#number = number;
    this.#size = size;
    this.#openedAt = Date.now();
    this.#archive.add(number - 1, closed);
  }

  #takeBack(): void {
    ftruncateSync(this.#fd, this.#size);
    this.#torn = false;
  }

  #failure(cause: unknown): AgentError {
    if (cause instanceof AgentError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const { dir } = this.#options;
    if (code !== undefined && FOR_GOOD.has(code)) return unusable(dir, cause);
    return new AgentError(
      'JOURNAL_FULL',
      `cannot write to ${dir}: ${message}; free space there or lower journalMaxBytes`,
      { cause },
    );
  }

  #syncSoon(): void {
    if (this.#syncTimer !== undefined) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncing = syncData(this.#fd).catch(this.#options.onProblem);
    }, this.#options.syncIntervalMs);
  }
}
