import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import type { IndexedFrame } from '../../record/index/segment-index.ts';

const decompress = promisify(zstdDecompress);
/** So many frames are decompressed in other threads at the same time. */
const AHEAD = 3;
/** zlib asks for no further buffer if this one is not full; it takes none of less than 64 bytes. */
const ROOM = 64;

/**
 * Yields the text of each of these frames, which is valid until the next one is asked for; throws if
 * it is not what the index says.
 */
export async function* frameTexts(
  path: string,
  frames: readonly IndexedFrame[],
): AsyncGenerator<Buffer, void> {
  const file = await open(path);
  const started: Promise<Buffer>[] = [];
  try {
    for (let at = 0; at < frames.length; at += 1) {
      for (const frame of frames.slice(started.length, at + AHEAD)) {
        const text = textOf(file, frame);
        text.catch(() => {}); // It is met where it is awaited.
        started.push(text);
      }
      const text = await started[at];
      if (text === undefined) return;
      yield text;
      // Left to the collector, frees of so much memory take as long as the reading.
      if (text.buffer instanceof ArrayBuffer) text.buffer.transfer(0);
    }
  } finally {
    await Promise.allSettled(started);
    await file.close();
  }
}

/** Reads the text of a frame. */
export async function textOf(file: FileHandle, frame: IndexedFrame): Promise<Buffer> {
  const { offset, bytes, textBytes } = frame;
  const compressed = Buffer.allocUnsafeSlow(bytes);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(compressed, at, bytes - at, offset + at);
    if (bytesRead === 0) throw new Error('the segment ends within a frame');
    at += bytesRead;
  }
  const text = await decompress(compressed, {
    // All of it is one buffer then, and nothing is copied.
    chunkSize: textBytes + ROOM,
    maxOutputLength: textBytes + ROOM,
  });
  if (text.length !== textBytes) throw new Error('a frame differs from the index');
  return text;
}
