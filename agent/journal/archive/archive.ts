import { closeSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSegment } from '../folder.ts';
import { listSegments, type Position, type Segment, segmentFile } from '../segment.ts';
import { cutTornTail } from '../torn-tail.ts';
import { compressSegment } from './compress.ts';
import { Deletions } from './deletions.ts';
import { type Repeated, type RetentionRun, runsOf } from './retention.ts';

export interface ArchiveOptions {
  readonly dir: string;
  readonly segmentMaxBytes: number;
  readonly maxBytes: number;
  readonly compressionLevel: number;
  /** Behind all that is written by now. */
  position(): Position;
  onProblem(error: Error): void;
  onRetention(runs: readonly RetentionRun[]): void;
}

/** The descriptor of a segment that is complete and on disk; one more sync may be under way. */
interface Closed {
  readonly fd: number;
  readonly syncing: Promise<void> | undefined;
}

const ASIDE = /^\d{20}\.jsonl\.zst\.tmp$/;

/**
 * All segments but the newest, which is being written: compresses them one after the other, and
 * deletes the oldest for space.
 */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #deletions: Deletions;
  readonly #repeated: Repeated = new Map();
  readonly #ending = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#deletions = new Deletions(options.dir, options.position);
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

  /** Begins with what an earlier run left to be done. */
  start(): void {
    this.#next(async () => {
      const untold = await this.#deletions.resume();
      if (untold.length > 0) this.#options.onRetention(untold);
    });
    this.#next(() => this.#turn());
  }

  /** Takes over a segment that is complete, and does all that is to be done by now. */
  take({ fd, syncing }: Closed): void {
    this.#next(async () => {
      await syncing;
      closeSync(fd);
    });
    this.#next(() => this.#turn());
  }

  /** Takes note of lines that a segment has now. */
  note(lines: Buffer, segment: number): void {
    if (this.#deletions.note(lines, segment)) this.#next(() => this.#deletions.settle());
  }

  /** Ends at the next moment that leaves everything whole. */
  async close(): Promise<void> {
    this.#ending.abort();
    // What is done may leave more to be done.
    for (let work: unknown; work !== this.#work; await work) work = this.#work;
  }

  /** One thing after the other. */
  #next(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch(this.#options.onProblem);
  }

  async #turn(): Promise<void> {
    const { dir, segmentMaxBytes } = this.#options;
    for (const segment of listSegments(dir).slice(0, -1)) {
      if (segment.compressed) continue;
      await this.#makeRoom(0);
      await this.#compress(segment.number);
    }
    await this.#makeRoom(segmentMaxBytes);
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
    const { dir, maxBytes, onProblem, onRetention } = this.#options;
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
      await this.#deletions.delete(segment.number, runs).catch(onProblem);
      onRetention(runs);
    }
  }

  /** A damaged segment has to go as well. */
  async #runsOf(segment: Segment): Promise<RetentionRun[]> {
    const { dir, onProblem } = this.#options;
    try {
      return await runsOf(dir, segment, this.#repeated, this.#ending.signal);
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
