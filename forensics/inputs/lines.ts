import { createReadStream } from 'node:fs';
import { createZstdDecompress } from 'node:zlib';

/** One line of a file that is not blank, without its line feed. */
export interface Line {
  readonly text: string;
  /** from 1; blank lines count as well */
  readonly number: number;
  /** Whether a line feed ends it. */
  readonly whole: boolean;
}

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 1 << 20;

/**
 * Yields the lines of a file at these places among lines that are not blank (from 0, ascending), or
 * all lines. The file's name says whether it is compressed. A damaged file ends where the damage
 * begins.
 */
export async function* readLines(path: string, places?: readonly number[]): AsyncGenerator<Line> {
  let number = 0;
  let place = -1;
  let next = 0;
  let rest: Buffer[] = [];
  const take = (bytes: Buffer, whole: boolean): Line | undefined => {
    number += 1;
    if (isBlank(bytes)) return undefined;
    place += 1;
    if (places !== undefined && places[next] !== place) return undefined;
    next += 1;
    return { text: bytes.toString('utf8'), number, whole };
  };
  for await (const chunk of chunksOf(path)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const piece = chunk.subarray(from, end);
      from = end + 1;
      const line = take(rest.length === 0 ? piece : Buffer.concat([...rest, piece]), true);
      rest = [];
      if (line === undefined) continue;
      yield line;
      if (next === places?.length) return;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  const last = rest.length === 0 ? undefined : take(Buffer.concat(rest), false);
  if (last !== undefined) yield last;
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (!path.endsWith('.zst')) {
    yield* file;
    return;
  }
  let unreadable: Error | undefined;
  const text = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  file.on('error', (error) => {
    unreadable = error;
    text.destroy(error);
  });
  try {
    yield* file.pipe(text) as AsyncIterable<Buffer>;
  } catch {
    // The readable part of a damaged file has been read; what is missing shows in the numbers.
    if (unreadable !== undefined) throw unreadable;
  } finally {
    file.destroy();
  }
}

/** Matches a line of nothing but JSON's white space. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes)
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0b && byte !== 0x0c)
      return false;
  return true;
}
