import { closeSync, existsSync, fsync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compressSegment, syncFolder } from './compress.ts';
import { openSegment } from './folder.ts';
import { type RetentionRun, runsOf } from './retention.ts';
import { listSegments, type Segment, segmentFile } from './segment.ts';
import { cutTornTail } from './tail.ts';

export interface ArchiveOptions {
  readonly dir: string;
  readonly segmentMaxBytes: number;
  readonly maxBytes: number;
  readonly compressionLevel: number;
  onProblem(error: Error): void;
  onRetention(runs: readonly RetentionRun[]): void;
}

/** The descriptor of a segment that is complete, and a sync of it that may be under way. */
interface Closed {
  readonly fd: number;
  readonly syncing: Promise<void> | undefined;
}

const sync = promisify(fsync);
const ASIDE = /^\d{20}\.jsonl\.zst\.tmp$/;

/**
 * All segments but the newest, which is being written: compresses them one after the other, and
 * deletes the oldest for space.
 */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #ending = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /**
   * Puts right what an earlier run left: half-made and doubled files, and lines that are not whole
   * where the system had crashed. Nothing else may be at work here.
   */
  tidy(): { readonly tornBytes: number; readonly segment: number } {
    const { dir } = this.#options;
    for (const name of readdirSync(dir)) if (ASIDE.test(name)) rmSync(join(dir, name));
    let torn = { tornBytes: 0, segment: 0 };
    const segments = listSegments(dir);
    for (const { number, compressed } of segments) {
      const plain = segmentFile(dir, { number, compressed: false });
      if (compressed) rmSync(plain, { force: true });
      else if (number !== segments.at(-1)?.number) {
        const tornBytes = cutTail(plain);
        if (tornBytes > 0) torn = { tornBytes: torn.tornBytes + tornBytes, segment: number };
      }
    }
    return torn;
  }

  /** Takes over a segment that is complete, and does all that is to be done by now. */
  work(closed?: Closed): void {
    this.#work = this.#work.then(() => this.#turn(closed));
  }

  /** Ends at the next moment that leaves everything whole. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  async #turn(closed: Closed | undefined): Promise<void> {
    const { dir, segmentMaxBytes } = this.#options;
    try {
      if (closed) await this.#seal(closed);
      await syncFolder(dir); // the segment behind it has its name there
      for (const segment of listSegments(dir).slice(0, -1)) {
        if (segment.compressed) continue;
        await this.#makeRoom(0);
        await this.#compress(segment.number);
      }
      await this.#makeRoom(segmentMaxBytes);
    } catch (error) {
      this.#options.onProblem(error as Error);
    }
  }

  async #seal({ fd, syncing }: Closed): Promise<void> {
    try {
      await syncing;
      await sync(fd);
    } catch (error) {
      this.#options.onProblem(error as Error);
    } finally {
      closeSync(fd);
    }
  }

  /** What cannot be compressed now stays as it is until the next turn. */
  async #compress(number: number): Promise<void> {
    const { dir, compressionLevel, onProblem } = this.#options;
    const { signal } = this.#ending;
    if (signal.aborted || !existsSync(segmentFile(dir, { number, compressed: false }))) return;
    try {
      await compressSegment(dir, number, compressionLevel, signal);
    } catch (error) {
      if (!signal.aborted) onProblem(error as Error);
    }
  }

  /** Deletes the oldest segments until all are within the cap, with room for the newest to grow. */
  async #makeRoom(newestMayGrowTo: number): Promise<void> {
    const { dir, maxBytes, onRetention } = this.#options;
    const segments = listSegments(dir);
    const newest = segments.pop();
    let total = newest === undefined ? 0 : Math.max(bytesOf(dir, newest), newestMayGrowTo);
    for (const segment of segments) total += bytesOf(dir, segment);
    for (const segment of segments) {
      if (total <= maxBytes) return;
      const runs = await this.#runsOf(segment);
      // What is deleted from now on, nobody would write down any more.
      if (this.#ending.signal.aborted) return;
      total -= bytesOf(dir, segment);
      for (const compressed of [false, true])
        rmSync(segmentFile(dir, { ...segment, compressed }), { force: true });
      onRetention(runs);
    }
  }

  /** A damaged segment has to go as well. */
  async #runsOf(segment: Segment): Promise<RetentionRun[]> {
    const { dir, onProblem } = this.#options;
    try {
      return await runsOf(dir, segment, this.#ending.signal);
    } catch (error) {
      onProblem(error as Error);
      return [];
    }
  }
}

function cutTail(file: string): number {
  const { fd } = openSegment(file);
  try {
    return cutTornTail(fd);
  } finally {
    closeSync(fd);
  }
}

function bytesOf(dir: string, segment: Segment): number {
  return statSync(segmentFile(dir, segment), { throwIfNoEntry: false })?.size ?? 0;
}
