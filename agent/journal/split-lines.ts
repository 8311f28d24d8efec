import type { Position } from './segment.ts';

const LINE_FEED = 0x0a;

/** A whole line, without its line feed, and the position after it. */
export interface JournalLine extends Position {
  readonly line: string;
}

/** Whole lines, each with its line feed, and the position after them. */
export interface JournalText extends Position {
  readonly text: Buffer;
}

/** Yields the lines of a text. */
export function* linesIn({ text, segment, offset }: JournalText): Generator<JournalLine> {
  const begin = offset - text.length;
  let start = 0;
  for (let end = text.indexOf(LINE_FEED); end >= 0; end = text.indexOf(LINE_FEED, start)) {
    yield { line: text.toString('utf8', start, end), segment, offset: begin + end + 1 };
    start = end + 1;
  }
}

/**
 * Yields the same bytes in chunks that end with a line feed; what follows the last line feed is not
 * a line yet.
 */
export async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    // Copies of the chunk would be collected late, because their memory is not V8's.
    const first = rest.length === 0 || end === 0 ? 0 : chunk.indexOf(LINE_FEED) + 1;
    if (first > 0) yield Buffer.concat([rest, chunk.subarray(0, first)]);
    if (end > first) yield chunk.subarray(first, end);
    // A copy, because the chunk's memory is large.
    const last = chunk.subarray(end);
    rest = end > 0 ? Buffer.from(last) : Buffer.concat([rest, last]);
  }
}
