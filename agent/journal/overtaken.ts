import { type ChunksOf, type OnUnreadable, readChunks } from './read.ts';
import { type Segment, segmentFile } from './segment.ts';

const DELETED = 'deleted for space before it was read: records are missing here';

/** Returns the error of a segment that was deleted since it was listed. */
export function deletedSince(dir: string, segment: Segment): Error {
  return new Error(`${segmentFile(dir, segment)}: ${DELETED}`);
}

/** Reads a segment as readChunks() does, but throws if it is deleted by now. */
export async function* chunksThere(
  dir: string,
  segment: Segment,
  from: number,
): AsyncGenerator<Buffer> {
  if (!(yield* readChunks(dir, segment, from))) throw deletedSince(dir, segment);
}

/**
 * Makes a reader of one segment after another report those that were deleted before it came to them. It
 * says nothing of numbers that were already missing in the list from before it began.
 */
export function reportDeleted(
  chunksOf: ChunksOf,
  onUnreadable: OnUnreadable,
  listed: readonly Segment[],
): ChunksOf {
  const end = (listed.at(-1)?.number ?? 0) + 1;
  let next: number | undefined;
  return (dir, segment, from) => {
    const { number } = segment;
    const first = next;
    if (first !== undefined && first < number) {
      const wasThere = listed.some((one) => one.number >= first && one.number < number);
      if (wasThere || number > end)
        onUnreadable(new Error(`${dir}, from segment ${first} to below ${number}: ${DELETED}`));
    }
    next = number + 1;
    return chunksOf(dir, segment, from);
  };
}
