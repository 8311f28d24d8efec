import type { FileHandle } from 'node:fs/promises';
import { createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { damaged } from './folder.ts';

/** Small enough that the buffers of inflated text do not outlive V8's young generation. */
const CHUNK_BYTES = 256 << 10;

/** Reads a file from an offset on. A chunk is valid until the next one is asked for. */
export async function* plainChunks(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let at = from; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Reads the uncompressed text of all frames, from an offset in this text on. */
export async function* inflatedChunks(
  handle: FileHandle,
  file: string,
  from: number,
): AsyncGenerator<Buffer> {
  const { size } = await handle.stat();
  let [at, skip] = [0, from];
  let bytesRead: number;
  try {
    // Node ends after one frame of the file, unless the next one begins with the next chunk.
    do {
      const text = inflateFrame(handle, at);
      for await (const chunk of text as AsyncIterable<Buffer>) {
        if (chunk.length > skip) yield chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
      }
      bytesRead = text.bytesWritten;
      at += bytesRead;
    } while (bytesRead > 0 && at < size);
  } catch (cause) {
    throw damaged(file, cause);
  }
}

/** Reads the uncompressed text of frames that begin at these offsets of the file. */
export async function* frameChunks(
  handle: FileHandle,
  file: string,
  offsets: Iterable<number>,
): AsyncGenerator<Buffer> {
  try {
    for (const offset of offsets) yield* inflateFrame(handle, offset) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw damaged(file, cause);
  }
}

function inflateFrame(handle: FileHandle, at: number): ZstdDecompress {
  const text = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  feed(text, plainChunks(handle, at)).catch((error) => text.destroy(error));
  return text;
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
