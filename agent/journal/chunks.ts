import type { FileHandle } from 'node:fs/promises';
import { createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import type { FramePlace } from '../../record/index/segment-index.ts';
import { damaged } from './folder.ts';

/** Small enough that the buffers of inflated text do not outlive V8's young generation. */
const CHUNK_BYTES = 256 << 10;

/** Reads a file from an offset on. A chunk is valid until the next one is asked for. */
export function plainChunks(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  return bytesOf(handle, [from, Number.POSITIVE_INFINITY], Buffer.allocUnsafeSlow(CHUNK_BYTES));
}

/** A part of a file: where it begins, and where it ends. */
type Part = readonly [from: number, to: number];

async function* bytesOf(
  handle: FileHandle,
  [from, to]: Part,
  buffer: Buffer,
): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Reads the uncompressed text of all frames, from an offset in this text on. A chunk is valid until the
 * next one is asked for.
 */
export async function* inflatedChunks(
  handle: FileHandle,
  file: string,
  from: number,
): AsyncGenerator<Buffer> {
  const { size } = await handle.stat();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let [at, skip] = [0, from];
  let bytesRead: number;
  try {
    do {
      const frame = frameText(handle, [at, Number.POSITIVE_INFINITY], buffer);
      let next = await frame.next();
      for (; !next.done; next = await frame.next()) {
        if (next.value.length > skip) yield next.value.subarray(skip);
        skip = Math.max(0, skip - next.value.length);
      }
      bytesRead = next.value;
      at += bytesRead;
    } while (bytesRead > 0 && at < size);
  } catch (cause) {
    throw damaged(file, cause);
  }
}

/** Reads the uncompressed text of frames, in the same way. */
export async function* frameChunks(
  handle: FileHandle,
  file: string,
  frames: Iterable<FramePlace>,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    for (const { offset, bytes } of frames)
      yield* frameText(handle, [offset, offset + bytes], buffer);
  } catch (cause) {
    throw damaged(file, cause);
  }
}

/**
 * Reads the text of the frame with which a part of a file begins, and returns how many bytes it takes.
 * Node ends after one frame, unless the next one begins with the next chunk.
 */
async function* frameText(
  handle: FileHandle,
  part: Part,
  buffer: Buffer,
): AsyncGenerator<Buffer, number> {
  const text = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // Node keeps the memory of a decompressor that has ended until it is collected.
  text.on('end', () => (text as Resettable).reset());
  const fed = feed(text, bytesOf(handle, part, buffer)).catch((error) => text.destroy(error));
  let last: ArrayBufferLike | undefined;
  for await (const chunk of text as AsyncIterable<Buffer>) {
    if (chunk.buffer !== last) free(last);
    last = chunk.buffer;
    yield chunk;
  }
  // Only at the end: until then a thread may write to it.
  free(last);
  await fed;
  return text.bytesWritten;
}

/** Node's types lack it. */
type Resettable = ZstdDecompress & { reset(): void };

/** Frees memory at once that is not V8's, and so would be collected late. */
function free(memory: ArrayBufferLike | undefined): void {
  // Smaller memory may be shared by several buffers.
  if (memory instanceof ArrayBuffer && memory.byteLength >= CHUNK_BYTES) memory.transfer(0);
}

/**
 * Writes chunks until one is not taken as a whole, because a frame ends in it. Were a stream to write
 * the next chunk, too, Node would take it for the beginning of another frame.
 */
async function feed(text: ZstdDecompress, chunks: AsyncIterable<Buffer>): Promise<void> {
  let given = 0;
  for await (const chunk of chunks) {
    given += chunk.length;
    await new Promise<void>((resolve, reject) => {
      text.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    if (text.bytesWritten < given) return;
  }
  text.end();
}
