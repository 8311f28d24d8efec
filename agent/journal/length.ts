import { type FileHandle, open } from 'node:fs/promises';
import { readChunks } from './read.ts';
import { listSegments, type Position, type Segment, segmentFile } from './segment.ts';

const FRAME_MAGIC = 0xfd2fb528;
/** The longest header of a frame. */
const HEADER_BYTES = 18;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** the type of a block that repeats one byte */
const RLE = 1;

/**
 * Whether a position that was noted earlier is still within the journal. It is not if a system
 * crash removed the end of the journal.
 */
export async function isWithin(dir: string, position: Position): Promise<boolean> {
  const { segment, offset } = position;
  const segments = await listSegments(dir);
  const there = segments.find(({ number }) => number === segment);
  // If the segment was deleted, everything that exists follows it.
  if (there === undefined) return segment < (segments.at(-1)?.number ?? 0);
  try {
    return await hasBytes(dir, there, offset);
  } catch (error) {
    // It was compressed or deleted since it was listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return isWithin(dir, position);
    // A segment that cannot be read was whole when it was closed, long after the note.
    return true;
  }
}

/** Says whether a segment's uncompressed text has so many bytes. */
async function hasBytes(dir: string, segment: Segment, bytes: number): Promise<boolean> {
  const handle = await open(segmentFile(dir, segment));
  try {
    if (!segment.compressed) return bytes <= (await handle.stat()).size;
    if (await haveFrames(handle, bytes)) return true;
  } finally {
    await handle.close();
  }
  // Another program may have compressed it, or appended frames, without their sizes.
  let length = 0;
  for await (const chunk of readChunks(dir, segment, 0)) length += chunk.length;
  return bytes <= length;
}

/**
 * Says whether the frames of a zstd file have so many bytes of text, as far as their headers tell (RFC
 * 8878, section 3.1.1). The agent writes the size of its text into every frame.
 */
async function haveFrames(handle: FileHandle, bytes: number): Promise<boolean> {
  const header = Buffer.alloc(HEADER_BYTES);
  let [at, length] = [0, 0];
  while (length < bytes) {
    const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, at);
    if (bytesRead < HEADER_BYTES || header.readUInt32LE(0) !== FRAME_MAGIC) return false;
    const { size, end } = headerOf(header);
    if (size === undefined) return false;
    length += size;
    at += end;
    for (let isLast = false; !isLast && length < bytes; ) {
      const block = await handle.read(header, 0, BLOCK_HEADER_BYTES, at);
      if (block.bytesRead < BLOCK_HEADER_BYTES) return false;
      const word = header.readUIntLE(0, BLOCK_HEADER_BYTES);
      isLast = (word & 1) === 1;
      at += BLOCK_HEADER_BYTES + (((word >> 1) & 3) === RLE ? 1 : word >>> 3);
    }
    at += CHECKSUM_BYTES;
  }
  return true;
}

/** Reads the size of a frame's content, if the header has it, and where the header ends. */
function headerOf(header: Buffer): { readonly size: number | undefined; readonly end: number } {
  const descriptor = header.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment
        ? { size: header.readUInt8(at), end: at + 1 }
        : { size: undefined, end: at };
    case 1:
      return { size: header.readUInt16LE(at) + 256, end: at + 2 };
    case 2:
      return { size: header.readUInt32LE(at), end: at + 4 };
    default:
      return { size: Number(header.readBigUInt64LE(at)), end: at + 8 };
  }
}
