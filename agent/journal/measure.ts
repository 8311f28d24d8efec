import { readChunks, readLines } from './read.ts';
import { listSegments, type Position } from './segment.ts';

const LINE_FEED = 0x0a;
const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * Returns the Unix seconds of the first record from a position on that can be read; undefined if
 * there is none.
 */
export async function timeAt(dir: string, position?: Position): Promise<number | undefined> {
  for await (const { line } of readLines(dir, position, () => {})) {
    const [, nanoseconds] = /"timestamp":(\d+),/.exec(line) ?? [];
    return nanoseconds === undefined ? undefined : Number(BigInt(nanoseconds) / NANOS_PER_SECOND);
  }
  return undefined;
}

/** Counts the lines between two positions, as far as they can be read. */
export async function countLines(dir: string, from: Position, end: Position): Promise<number> {
  let lines = 0;
  for (const segment of await listSegments(dir)) {
    const { number } = segment;
    if (number < from.segment || number > end.segment) continue;
    const start = number === from.segment ? from.offset : 0;
    let rest = number === end.segment ? end.offset - start : Number.POSITIVE_INFINITY;
    try {
      for await (const chunk of readChunks(dir, segment, start)) {
        if (rest <= 0) break;
        lines += lineFeedsIn(chunk.subarray(0, Math.min(rest, chunk.length)));
        rest -= chunk.length;
      }
    } catch {} // the export skips a damaged segment, and logs it
  }
  return lines;
}

function lineFeedsIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
