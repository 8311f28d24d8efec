import { closeSync, existsSync, fsync, rmSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { compressSegment, syncFolder } from './compress.ts';
import { type RetentionRun, runsOf } from './retention.ts';
import { listSegments, type Segment, segmentFile } from './segment.ts';

export interface ArchiveOptions {
  readonly dir: string;
  readonly maxBytes: number;
  readonly compressionLevel: number;
  onProblem(error: Error): void;
  onRetention(runs: readonly RetentionRun[]): void;
}

const sync = promisify(fsync);

/** Closed segments: compresses them one after the other, and deletes the oldest for space. */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #ending = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** Puts right what an earlier run left: half-made and doubled files, segments not yet compressed. */
  tidy(open: number): void {
    for (const segment of listSegments(this.#options.dir)) {
      const plain = segmentFile(this.#options.dir, { ...segment, compressed: false });
      if (segment.compressed) rmSync(plain, { force: true });
      rmSync(`${segmentFile(this.#options.dir, { ...segment, compressed: true })}.tmp`, {
        force: true,
      });
      if (!segment.compressed && segment.number !== open) this.add(segment.number, undefined);
    }
  }

  /** Takes over a segment that is complete, with its descriptor if it is open. */
  add(number: number, fd: number | undefined): void {
    this.#work = this.#work.then(() => this.#take(number, fd)).catch(this.#options.onProblem);
  }

  /** Ends at the next moment that leaves everything whole. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  async #take(number: number, fd: number | undefined): Promise<void> {
    const { dir, compressionLevel } = this.#options;
    if (fd !== undefined) {
      try {
        await sync(fd);
        await syncFolder(dir); // the segment behind it has its name there
      } finally {
        closeSync(fd);
      }
    }
    this.#makeRoom();
    const there = existsSync(segmentFile(dir, { number, compressed: false }));
    if (this.#ending.signal.aborted || !there) return;
    try {
      await compressSegment(dir, number, compressionLevel, this.#ending.signal);
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
    this.#makeRoom();
  }

  /** Deletes the oldest segments until the rest is within the cap; the newest always stays. */
  #makeRoom(): void {
    const { dir, maxBytes, onRetention } = this.#options;
    if (this.#ending.signal.aborted) return; // nobody would record it
    const segments = listSegments(dir);
    let total = segments.reduce((sum, segment) => sum + bytesOf(dir, segment), 0);
    for (const segment of segments.slice(0, -1)) {
      if (total <= maxBytes) return;
      const runs = this.#runsOf(segment);
      total -= bytesOf(dir, segment);
      for (const compressed of [false, true])
        rmSync(segmentFile(dir, { ...segment, compressed }), { force: true });
      onRetention(runs);
    }
  }

  /** None for a segment that is damaged: it must make room as well. */
  #runsOf(segment: Segment): RetentionRun[] {
    try {
      return runsOf(this.#options.dir, segment);
    } catch (error) {
      this.#options.onProblem(error as Error);
      return [];
    }
  }
}

function bytesOf(dir: string, segment: Segment): number {
  return statSync(segmentFile(dir, segment), { throwIfNoEntry: false })?.size ?? 0;
}
