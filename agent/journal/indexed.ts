import { type FileHandle, open } from 'node:fs/promises';
import { glanceAtIndex, indexName, openIndex, readIndex } from '../../record/index/open-index.ts';
import type {
  FrameContent,
  FramePlace,
  IndexedFrame,
  SegmentIndex,
} from '../../record/index/segment-index.ts';
import { frameChunks } from './chunks.ts';
import { chunksThere, deletedSince } from './overtaken.ts';
import { type Segment, segmentFile } from './segment.ts';

/** Makes the test of a segment's frames: whether they may have what a reader wants. */
export type FrameTest = (index: SegmentIndex) => (frame: IndexedFrame) => boolean;

/** A part of a segment that is read by itself, and has whole lines. */
export interface SegmentPart {
  /** what its index says; undefined: it says nothing */
  readonly content: FrameContent | undefined;
  /** Reads its uncompressed text; throws if its segment is deleted by now. */
  chunks(): AsyncGenerator<Buffer>;
}

/**
 * Reads segments, but not the frames that have nothing that is wanted, as far as indexes say so. An
 * index that is damaged, or is of something else, is not used.
 */
export class IndexedSegments {
  /** Says for each index that was not used why. */
  readonly remarks: string[] = [];
  readonly #dir: string;
  /** by segment: whether its index can be used, compared with every byte of the segment */
  readonly #isUsable = new Map<number, boolean>();
  /** the index that was read last */
  #last: { readonly segment: number; readonly index: SegmentIndex } | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Reads the uncompressed text of a segment as readChunks() does, but throws if it is deleted by now. A
   * frame is tested once all text before it is taken.
   */
  async *chunks(segment: Segment, mayHave: FrameTest): AsyncGenerator<Buffer> {
    const index = await this.#indexOf(segment);
    if (index === undefined) yield* chunksThere(this.#dir, segment, 0);
    else yield* this.#framesOf(segment, wantedFrames(index, mayHave(index)));
  }

  /** Returns the parts of a segment in order: its frames, or all of it where no index can be used. */
  async parts(segment: Segment): Promise<readonly SegmentPart[]> {
    const index = await this.#indexOf(segment);
    if (index === undefined)
      return [{ content: undefined, chunks: () => chunksThere(this.#dir, segment, 0) }];
    return index.frames.map((frame) => ({
      content: frame.isOurs ? frame : undefined,
      chunks: () => this.#framesOf(segment, [frame]),
    }));
  }

  /**
   * Whether a segment may have records from a time on. Its index says so, and not when it was closed,
   * because the clock may have been set back between.
   */
  async mayReach(segment: Segment, from: bigint): Promise<boolean> {
    if (!segment.compressed) return true;
    try {
      const index = await glanceAtIndex(segmentFile(this.#dir, segment));
      return index?.frames.every(({ isOurs, last }) => isOurs && last < from) !== true;
    } catch {
      // Reading it meets the reason, and says it.
      return true;
    }
  }

  async #indexOf(segment: Segment): Promise<SegmentIndex | undefined> {
    if (!segment.compressed) return undefined;
    const { number } = segment;
    if (this.#last?.segment === number) return this.#last.index;
    const path = segmentFile(this.#dir, segment);
    try {
      const isUsable = this.#isUsable.get(number);
      if (isUsable === false) return undefined;
      const index = isUsable ? await readIndex(path) : await openIndex(path);
      this.#isUsable.set(number, index !== undefined);
      this.#last = index && { segment: number, index };
      return index;
    } catch (error) {
      this.#isUsable.set(number, false);
      // A segment that was deleted since it was listed has no index.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.remarks.push(`${indexName(path)}: not used: ${message}`);
      return undefined;
    }
  }

  async *#framesOf(segment: Segment, frames: Iterable<FramePlace>): AsyncGenerator<Buffer> {
    const file = segmentFile(this.#dir, segment);
    let handle: FileHandle;
    try {
      handle = await open(file);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? deletedSince(this.#dir, segment)
        : error;
    }
    try {
      yield* frameChunks(handle, file, frames);
    } finally {
      await handle.close();
    }
  }
}

/** Of a frame with other lines than those of the agent, an index says nothing else. */
function* wantedFrames(
  { frames }: SegmentIndex,
  mayHave: (frame: IndexedFrame) => boolean,
): Generator<FramePlace> {
  for (const frame of frames) if (!frame.isOurs || mayHave(frame)) yield frame;
}
