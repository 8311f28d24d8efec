import { zstdDecompressSync } from 'node:zlib';

/** Decompresses every frame of a zstd file; Node by itself ends after the first. */
export function everyFrame(bytes: Buffer): Buffer {
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { buffer, engine } = decompressed(bytes.subarray(at));
    texts.push(buffer);
    at += engine.bytesWritten;
  }
  return Buffer.concat(texts);
}

interface Decompressed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Returns the text of the first frame, and how many bytes it took. */
function decompressed(bytes: Buffer): Decompressed {
  return zstdDecompressSync(bytes, { info: true }) as unknown as Decompressed;
}
