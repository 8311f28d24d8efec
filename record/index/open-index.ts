import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { decodeIndex, type IndexedFrame, type SegmentIndex } from './segment-index.ts';

const SEGMENT = /(\/|^)(\d{20})\.jsonl\.zst$/;
/** The index of the largest segment, 4 GiB of lines, is smaller. */
const INDEX_MAX = 64 << 20;
const CHUNK_BYTES = 256 << 10;
const OTHER_SEGMENT = 'it is not the index of this segment';

/** Returns the name of the index of a compressed segment; undefined: it is none. */
export function indexName(path: string): string | undefined {
  return SEGMENT.test(path) ? path.replace(/jsonl\.zst$/, 'index') : undefined;
}

/** Reads the index of a segment. Undefined: there is none. Throws if it is damaged. */
export async function readIndex(path: string): Promise<SegmentIndex | undefined> {
  const name = indexName(path);
  const content = name === undefined ? undefined : await contentOf(name);
  return content && decodeIndex(content);
}

/**
 * Reads the index of a segment, and compares it with every byte of that. Undefined: there is none.
 * Throws if it is damaged, or is the index of something else.
 */
export async function openIndex(path: string): Promise<SegmentIndex | undefined> {
  const index = await readIndex(path);
  if (index === undefined) return undefined;
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let at = 0;
    for (const frame of index.frames) {
      if (frame.offset !== at || (await crcOf(file, frame, buffer)) !== frame.crc)
        throw new Error(OTHER_SEGMENT);
      at += frame.bytes;
    }
    if (at !== (await file.stat()).size) throw new Error(OTHER_SEGMENT);
  } finally {
    await file.close();
  }
  return index;
}

/**
 * Reads the index of a segment, and compares it with the size and the last frame of that, which is
 * enough to know that it is not of another one. Undefined: there is none. Throws as openIndex() does.
 */
export async function glanceAtIndex(path: string): Promise<SegmentIndex | undefined> {
  const index = await readIndex(path);
  const last = index?.frames.at(-1);
  if (index === undefined || last === undefined) return undefined;
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const crc = await crcOf(file, last, Buffer.allocUnsafeSlow(CHUNK_BYTES));
    if (last.offset + last.bytes !== size || crc !== last.crc) throw new Error(OTHER_SEGMENT);
  } finally {
    await file.close();
  }
  return index;
}

async function contentOf(name: string): Promise<Buffer | undefined> {
  try {
    const file = await open(name);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > INDEX_MAX) throw new Error('it is no index');
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function crcOf(
  file: FileHandle,
  { offset, bytes }: IndexedFrame,
  buffer: Buffer,
): Promise<number> {
  let crc = 0;
  for (let at = 0; at < bytes; ) {
    const length = Math.min(buffer.length, bytes - at);
    const { bytesRead } = await file.read(buffer, 0, length, offset + at);
    if (bytesRead === 0) return -1;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    at += bytesRead;
  }
  return crc;
}
