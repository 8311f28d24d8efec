import type { FileHandle } from 'node:fs/promises';
import type { SegmentNotes } from '../../../record/index/segment-notes.ts';
import { type Position, segmentBytes } from '../segment.ts';
import { ClosedSegments } from './closed-segments.ts';
import { compressSegment } from './compress.ts';
import { Deletions } from './deletions.ts';
import { type Deleted, type DeletedRange, deletedRanges, type Repeated } from './retention.ts';

const NOTHING: Deleted = { ranges: [], unknownOf: undefined };
/** Notes of more segments, which wait for a slow disk, would take too much memory. */
const NOTED_MAX = 4;

/** A segment could not be synced, compressed or deleted; appending continues. */
export interface UpkeepFailed {
  readonly event: 'journal.upkeep_failed';
  readonly error: Error;
}

/** Returns the event for an error. */
export function upkeepFailed(error: unknown): UpkeepFailed {
  return { event: 'journal.upkeep_failed', error: error as Error };
}

export interface ArchiveOptions {
  readonly dir: string;
  readonly segmentMaxBytes: number;
  readonly maxBytes: number;
  readonly compressionLevel: number;
  readonly sync: 'interval' | 'always' | 'never';
  /** Returns the time on the boot clock, in milliseconds. */
  now(): number;
  report(event: UpkeepFailed): void;
}

/** A segment that is complete and on disk, still open; a last sync of it may still run. */
interface Closed {
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly syncing: Promise<void> | undefined;
}

/**
 * Keeps all segments but the newest, which is being written: compresses them one after the other,
 * and deletes the oldest for space.
 */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #deletions: Deletions;
  readonly #closed: ClosedSegments;
  #listed: Promise<void> = Promise.resolve();
  #repeated: Repeated = new Map();
  readonly #ending = new AbortController();
  #retired: DeletedRange[] = [];
  /** The hooks of deleted records with unknown numbers. */
  #retiredUnknown: string[] = [];
  #work: Promise<void> = Promise.resolve();
  /** by segments that are not compressed yet */
  readonly #notes = new Map<number, SegmentNotes>();

  /** `end` is the position after everything that is written so far. */
  constructor(options: ArchiveOptions, end: Position) {
    this.#options = options;
    this.#closed = new ClosedSegments(options.dir, () => options.now(), end.segment);
    const mayBeUnsynced = options.sync === 'never';
    this.#deletions = new Deletions(options.dir, end, { mayBeUnsynced });
  }

  /** Begins with the work that an earlier run left. */
  start(): void {
    this.#next(() => this.#closed.look());
    this.#listed = this.#work;
    this.#next(async () => {
      const { report } = this.#options;
      const onUnreadable = (error: Error) => report(upkeepFailed(error));
      for (const deleted of await this.#deletions.resume(onUnreadable)) this.#retire(deleted);
    });
    this.#next(() => this.#deletions.settle());
    this.#next(() => this.#deletions.reserve());
    this.#next(() => this.#turn());
  }

  /** Keeps what was noted of a segment; call it before the next segment is there, also again. */
  keepNotes(number: number, notes: SegmentNotes): void {
    this.#notes.set(number, notes);
    const [oldest] = this.#notes.keys();
    if (oldest !== undefined && this.#notes.size > NOTED_MAX) this.#notes.delete(oldest);
  }

  /** Takes over a complete segment; `end` is in the next one. Then does the work that is due. */
  take({ handle, bytes, syncing }: Closed, end: Position): void {
    this.#deletions.end = end;
    this.#closed.close(bytes, end.segment);
    this.#next(async () => {
      await syncing;
      await handle.close();
    });
    this.#next(() => this.#turn());
  }

  /** Notes lines that the journal has now, up to `end`. */
  note(lines: Buffer, end: Position): void {
    if (this.#deletions.note(lines, end)) this.#next(() => this.#deletions.settle());
  }

  /**
   * Returns what was deleted for space since the last call, for the journal to record as losses.
   */
  takeRetired(): readonly DeletedRange[] {
    const retired = this.#retired;
    if (retired.length > 0) this.#retired = [];
    return retired;
  }

  /** Returns the same of records with unknown numbers: a hook for each deletion (see Deleted). */
  takeRetiredUnknown(): readonly string[] {
    const hooks = this.#retiredUnknown;
    if (hooks.length > 0) this.#retiredUnknown = [];
    return hooks;
  }

  /** Returns what the closed segments are, once they are known. */
  async closed(): Promise<Pick<ClosedSegments, 'all' | 'bytes'>> {
    await this.#listed;
    return this.#closed;
  }

  /** Ends the work at the next moment that leaves every file whole. */
  async close(): Promise<void> {
    this.#ending.abort();
    // A job may add another one.
    for (let work: unknown; work !== this.#work; await work) work = this.#work;
  }

  /** Does one job after the other. */
  #next(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch((error) => this.#options.report(upkeepFailed(error)));
  }

  async #turn(): Promise<void> {
    await this.#closed.look();
    for (const { number } of this.#closed.all.filter(({ compressed }) => !compressed)) {
      if (this.#ending.signal.aborted) return;
      await this.#makeRoom(0);
      await this.#compress(number);
    }
    await this.#makeRoom(this.#options.segmentMaxBytes);
  }

  /** Compresses a segment. If that fails, the segment stays as it is until the next turn. */
  async #compress(number: number): Promise<void> {
    const { dir, compressionLevel, report } = this.#options;
    const { signal } = this.#ending;
    const bytes = await segmentBytes(dir, { number, compressed: false });
    // It was deleted for space meanwhile.
    if (signal.aborted || bytes === 0) return;
    try {
      await compressSegment(dir, number, compressionLevel, signal, this.#notes.get(number));
      await this.#closed.measure(number);
      this.#notes.delete(number);
    } catch (error) {
      if (!signal.aborted) report(upkeepFailed(error));
    }
  }

  /**
   * Deletes the oldest segments until all are within the cap, with room for the newest to grow. A
   * segment stays until the next turn if the disk does not take the note of its deletion, or if it is
   * damaged and nothing that follows says yet up to which numbers.
   */
  async #makeRoom(newestMayGrowTo: number): Promise<void> {
    const { dir, maxBytes, report } = this.#options;
    const { signal } = this.#ending;
    const note = (error: Error) => report(upkeepFailed(error));
    const open = { number: this.#deletions.end.segment, compressed: false };
    const openBytes = Math.max(await segmentBytes(dir, open), newestMayGrowTo);
    for (;;) {
      const [segment] = this.#closed.all;
      if (segment === undefined || this.#closed.bytes + openBytes <= maxBytes) return;
      const isNoted = this.#deletions.isNoted(segment.number);
      const repeated: Repeated = new Map(this.#repeated);
      const deleted = isNoted ? NOTHING : await deletedRanges(dir, segment, repeated, signal, note);
      // Nobody would record what is deleted from now on; or there are no numbers yet to record it with.
      if (signal.aborted || deleted === undefined) return;
      await this.#deletions.announce(segment.number, deleted);
      this.#repeated = repeated;
      await this.#deletions.delete(segment.number).catch(note);
      this.#closed.forget(segment.number);
      this.#notes.delete(segment.number);
      this.#retire(deleted);
    }
  }

  #retire({ ranges, unknownOf }: Deleted): void {
    for (const range of ranges) this.#retired.push(range);
    if (unknownOf !== undefined) this.#retiredUnknown.push(unknownOf);
  }
}
