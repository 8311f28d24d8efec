import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  rmSync,
  statSync,
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
  /** Bytes of whole lines in the open segment; what lies behind them is a failed write. */
  #size: number;
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
    const tornBytes = reopen ? cutTail(file) : 0;
    this.recovered = { tornBytes, segment: this.#number };
    const { fd, size } = openSegment(file);
    this.#fd = fd;
    this.#size = size;
    this.#openedAt = size === 0 ? Date.now() : statSync(file).birthtimeMs;
    this.#archive.tidy(this.#number);
  }

  /** Behind the last whole line. */
  get position(): Position {
    return { segment: this.#number, offset: this.#size };
  }

  /**
   * Writes whole lines. Throws JOURNAL_FULL when the disk does not take them now: then nothing of
   * them stays, and the same lines can be tried again.
   */
  append(lines: Buffer, length: number): void {
    if (this.#isDue()) this.#rotate();
    try {
      for (let written = 0; written < length; )
        written += writeSync(this.#fd, lines, written, length - written);
      if (this.#options.sync === 'always') fdatasyncSync(this.#fd);
    } catch (cause) {
      this.#takeBack();
      throw this.#full(cause);
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
    if (this.#size === 0) return false;
    return this.#size >= segmentMaxBytes || Date.now() - this.#openedAt >= segmentMaxAgeMs;
  }

  #rotate(): void {
    const number = this.#number + 1;
    let opened: { fd: number };
    try {
      opened = openSegment(segmentFile(this.#options.dir, { number, compressed: false }));
    } catch (cause) {
      throw cause instanceof AgentError ? cause : this.#full(cause);
    }
    const closed = this.#fd;
    this.#fd = opened.fd;
    this.#number = number;
    this.#size = 0;
    this.#openedAt = Date.now();
    this.#archive.add(number - 1, closed);
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
  }

  #full(cause: unknown): AgentError {
    const { message } = cause as Error;
    return new AgentError(
      'JOURNAL_FULL',
      `cannot write to ${this.#options.dir}: ${message}; free space there or lower journalMaxBytes`,
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

function cutTail(file: string): number {
  const fd = openSync(file, 'r+');
  try {
    return cutTornTail(fd);
  } finally {
    closeSync(fd);
  }
}
