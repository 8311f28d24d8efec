import type { FileHandle } from 'node:fs/promises';
import { constants, crc32, createZstdCompress } from 'node:zlib';
import { IndexBuilder } from '../../../record/index/index-builder.ts';
import {
  FRAME_BYTES,
  type FrameContent,
  type FramePlace,
  type SegmentIndex,
} from '../../../record/index/segment-index.ts';
import type { SegmentNotes } from '../../../record/index/segment-notes.ts';

/**
 * What is read and compressed at once. Each part is two jobs for the thread pool; with parts of 256 KiB
 * instead, a record takes a third more CPU time.
 */
const CHUNK_BYTES = 1 << 20;
const OUTPUT_BYTES = 256 << 10;
/**
 * How far back zstd finds what it repeats, as a power of two: 2 MiB at every level. Level 1 has 512 KiB
 * by itself, and writes most of a checkpoint again if 1,000 records are between it and the last.
 */
const WINDOW_LOG = 21;
const LINE_FEED = 0x0a;

/** What one needs to compress a segment. */
export interface Compression {
  /** the plain segment, and its size */
  readonly from: FileHandle;
  readonly size: number;
  readonly to: FileHandle;
  readonly level: number;
  readonly signal: AbortSignal;
  /** what was noted when the segment was written; undefined: its lines must be read for the index */
  readonly notes?: SegmentNotes | undefined;
}

/**
 * Compresses a segment as frames of whole lines, so that each can be read alone, and returns the
 * index of what they have.
 */
export async function compressFrames(compression: Compression): Promise<SegmentIndex> {
  const { from, size, notes } = compression;
  if (notes?.textBytes === size && size > 0) return compressNoted(compression, notes);
  const builder = new IndexBuilder();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let [at, offset] = [0, 0];
  do {
    const end = await endOfFrame(from, at, size, buffer);
    const place = await compressFrame(compression, { at, end, offset }, builder, buffer);
    builder.endFrame(place);
    at = end;
    offset += place.bytes;
  } while (at < size);
  return builder.index;
}

/** Compresses in the same way, but without a look at the lines. */
async function compressNoted(
  compression: Compression,
  { resources, frames }: SegmentNotes,
): Promise<SegmentIndex> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const places: FramePlace[] = [];
  let [at, offset] = [0, 0];
  for (const { textBytes } of frames) {
    const end = at + textBytes;
    const place = await compressFrame(compression, { at, end, offset }, undefined, buffer);
    places.push(place);
    at = end;
    offset += place.bytes;
  }
  return { resources, frames: joined(places, frames) };
}

function joined(
  places: readonly FramePlace[],
  frames: readonly FrameContent[],
): SegmentIndex['frames'] {
  return frames.flatMap((content, n) => {
    const place = places[n];
    return place === undefined ? [] : [{ ...place, ...content }];
  });
}

/** Returns the offset behind the last line that a frame has room for; at least one line. */
async function endOfFrame(
  from: FileHandle,
  begin: number,
  size: number,
  buffer: Buffer,
): Promise<number> {
  if (size - begin <= FRAME_BYTES) return size;
  for (let at = begin + FRAME_BYTES - CHUNK_BYTES; at < size; at += CHUNK_BYTES) {
    const { bytesRead } = await from.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    const end = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1;
    if (end > 0) return at + end;
  }
  return size;
}

/** A part of the plain segment, and where its frame begins. */
interface Part {
  readonly at: number;
  readonly end: number;
  readonly offset: number;
}

async function compressFrame(
  { from, to, level, signal }: Compression,
  { at, end, offset }: Part,
  builder: IndexBuilder | undefined,
  buffer: Buffer,
): Promise<FramePlace> {
  const zstd = createZstdCompress({
    chunkSize: OUTPUT_BYTES,
    pledgedSrcSize: end - at,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
    },
  });
  const feed = async () => {
    for await (const lines of linesOf(from, at, end, buffer)) {
      signal.throwIfAborted();
      builder?.add(lines);
      await new Promise<void>((resolve, reject) => {
        zstd.write(lines, (error) => (error ? reject(error) : resolve()));
      });
    }
    zstd.end();
  };
  feed().catch((error) => zstd.destroy(error));
  let [bytes, crc] = [0, 0];
  for await (const part of zstd as AsyncIterable<Buffer>) {
    await to.writeFile(part);
    bytes += part.length;
    crc = crc32(part, crc);
  }
  return { offset, bytes, crc };
}

/** Reads a part of a file in pieces that end with a line, unless a line is longer than a piece. */
async function* linesOf(
  from: FileHandle,
  begin: number,
  end: number,
  buffer: Buffer,
): AsyncGenerator<Buffer> {
  for (let at = begin; at < end; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(CHUNK_BYTES, end - at), at);
    if (bytesRead === 0) throw new Error('the segment became shorter while it was compressed');
    const whole = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1;
    const length = at + bytesRead === end || whole === 0 ? bytesRead : whole;
    at += length;
    yield buffer.subarray(0, length);
  }
}
