import { type FileHandle, open } from 'node:fs/promises';
import { readChunks } from './read.ts';
import { listSegments, type Position, type Segment, segmentFile } from './segment.ts';

const FRAME_MAGIC = 0xfd2fb528;
/** The longest header of a frame. */
const HEADER_BYTES = 18;

/**
 * Whether a position that was noted earlier is still within the journal. It is not if a system
 * crash removed the end of the journal.
 */
export async function isWithin(dir: string, position: Position): Promise<boolean> {
  const { segment, offset } = position;
  const segments = listSegments(dir);
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
    // Another program may have appended further frames.
    if (bytes <= ((await contentSize(handle)) ?? 0)) return true;
  } finally {
    await handle.close();
  }
  let length = 0;
  for await (const chunk of readChunks(dir, segment, 0)) length += chunk.length;
  return bytes <= length;
}

/**
 * Reads the size of the first zstd frame's content from its header, RFC 8878, section 3.1.1.1. The
 * agent writes it into every frame; undefined: another program compressed the file without it.
 */
async function contentSize(handle: FileHandle): Promise<number | undefined> {
  const header = Buffer.alloc(HEADER_BYTES);
  await handle.read(header, 0, HEADER_BYTES, 0);
  if (header.readUInt32LE(0) !== FRAME_MAGIC) return undefined;
  const descriptor = header.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? header.readUInt8(at) : undefined;
    case 1:
      return header.readUInt16LE(at) + 256;
    case 2:
      return header.readUInt32LE(at);
    default:
      return Number(header.readBigUInt64LE(at));
  }
}
