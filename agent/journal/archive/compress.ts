import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { syncFolder } from '../../files.ts';
import { segmentFile } from '../segment.ts';

const CHUNK_BYTES = 256 << 10;

/**
 * Compresses a closed segment into another file, syncs that, renames it, and then removes the plain
 * file: at every moment one complete form of the segment exists.
 */
export async function compressSegment(
  dir: string,
  number: number,
  level: number,
  signal: AbortSignal,
): Promise<void> {
  const plain = segmentFile(dir, { number, compressed: false });
  const target = segmentFile(dir, { number, compressed: true });
  const aside = `${target}.tmp`;
  try {
    const { size } = await stat(plain);
    const zstd = createZstdCompress({
      chunkSize: CHUNK_BYTES,
      pledgedSrcSize: size,
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_checksumFlag]: 1,
      },
    });
    const sink = createWriteStream(aside, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(chunksOf(plain), zstd, sink, { signal });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncFolder(dir);
  await rm(plain);
}

/**
 * Reads the bytes of a file. All chunks use one buffer: a chunk is larger than what the stream
 * holds, so that it asks for the next one only when it is done with the last.
 */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
