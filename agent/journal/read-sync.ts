import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import { damaged } from './folder.ts';
import { listSegments, type Position, type Segment, segmentFile } from './segment.ts';

const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 0x0a;

/** A whole line, without its line feed, and the position after it. */
export interface JournalLine extends Position {
  readonly line: string;
}

/**
 * Reads all lines from a position to the end; text after the last line feed is not a line yet. A
 * segment that cannot be read is skipped if there is an `onUnreadable`, which receives the error.
 */
export function* readLinesSync(
  dir: string,
  from?: Position,
  onUnreadable?: (error: Error) => void,
): Generator<JournalLine> {
  for (const segment of listSegments(dir)) {
    if (from !== undefined && segment.number < from.segment) continue;
    try {
      yield* readSegmentSync(dir, segment, segment.number === from?.segment ? from.offset : 0);
    } catch (error) {
      if (onUnreadable === undefined) throw error;
      onUnreadable(error as Error);
    }
  }
}

/**
 * Whether a position that was noted earlier is still within the journal. It is not if a crash of
 * the system took the end of the journal.
 */
export function isWithin(dir: string, { segment, offset }: Position): boolean {
  const segments = listSegments(dir);
  const there = segments.find(({ number }) => number === segment);
  // If the segment was deleted, everything that exists follows it.
  if (there === undefined) return segment < (segments.at(-1)?.number ?? 0);
  try {
    return offset <= lengthOf(dir, there);
  } catch {
    // A segment that cannot be read was whole when it was closed, long after the note.
    return true;
  }
}

/** Reads the lines of one segment from an offset of its uncompressed text on. */
export function* readSegmentSync(
  dir: string,
  segment: Segment,
  from: number,
): Generator<JournalLine> {
  const split = createSplitter(segment.number, from);
  for (const chunk of chunksSync(dir, segment, from)) yield* split(chunk);
}

/**
 * Creates a function that takes the chunks of a segment's text in order, and yields the lines that
 * each completes.
 */
export function createSplitter(
  segment: number,
  from: number,
): (chunk: Buffer) => Generator<JournalLine> {
  let offset = from;
  let rest: Buffer = Buffer.alloc(0);
  return function* (chunk) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      offset += end + 1 - start;
      yield { line: bytes.toString('utf8', start, end), segment, offset };
      start = end + 1;
    }
    rest = Buffer.from(bytes.subarray(start));
  };
}

/**
 * Reads the uncompressed text from an offset on; yields nothing if the segment is deleted by now.
 */
function* chunksSync(dir: string, segment: Segment, from: number): Generator<Buffer> {
  // It may have been compressed since it was listed.
  for (const compressed of segment.compressed ? [true] : [false, true]) {
    const file = segmentFile(dir, { ...segment, compressed });
    const fd = openIfThere(file);
    if (fd === undefined) continue;
    try {
      if (compressed) yield inflated(file, fd).subarray(from);
      else yield* plainChunks(fd, from);
    } finally {
      closeSync(fd);
    }
    return;
  }
}

function* plainChunks(fd: number, from: number): Generator<Buffer> {
  for (let at = from; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSync(fd, chunk, 0, CHUNK_BYTES, at);
    if (read === 0) return;
    at += read;
    yield chunk.subarray(0, read);
  }
}

/** Returns the bytes of a segment's uncompressed text. */
function lengthOf(dir: string, segment: Segment): number {
  const file = segmentFile(dir, segment);
  const fd = openSync(file, 'r');
  try {
    return segment.compressed ? inflated(file, fd).length : fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

function inflated(file: string, fd: number): Buffer {
  try {
    return zstdDecompressSync(readFileSync(fd));
  } catch (cause) {
    throw damaged(file, cause);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
