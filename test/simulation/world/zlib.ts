/** In place of `node:zlib`: its streams use no other thread, whose speed would be chance. */

import { Transform, type TransformCallback } from 'node:stream';
import { type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

// biome-ignore lint/performance/noBarrelFile: the agent imports other functions of it, too
export * from 'node:zlib';

/** Collects what it gets, and converts it at the end. */
class Whole extends Transform {
  bytesWritten = 0;
  readonly #chunks: Buffer[] = [];
  readonly #convert: (bytes: Buffer) => Buffer;

  constructor(convert: (bytes: Buffer) => Buffer) {
    super();
    this.#convert = convert;
  }

  override _transform(chunk: Buffer, _: string, done: TransformCallback): void {
    this.bytesWritten += chunk.length;
    // The one who writes may use the memory again.
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  override _flush(done: TransformCallback): void {
    try {
      const bytes = Buffer.concat(this.#chunks);
      done(null, this.#convert(bytes));
    } catch (error) {
      done(error as Error);
    }
  }

  /** There is no native memory to free. */
  reset(): void {}
}

export function createZstdCompress({ params }: ZstdOptions = {}): Whole {
  return new Whole((bytes) => zstdCompressSync(bytes, params === undefined ? {} : { params }));
}

export function createZstdDecompress(): Whole {
  return new Whole((bytes) => (bytes.length === 0 ? bytes : zstdDecompressSync(bytes)));
}
