import { readChunks } from './read.ts';
import type { Segment } from './segment.ts';
import { wholeLines } from './split-lines.ts';

const LINE_FEED = 0x0a;

/**
 * Reads, from an offset of a segment's uncompressed text on, the first line and those lines that
 * contain one of these texts, which is much faster than reading all of them.
 */
export async function* searchSegment(
  dir: string,
  segment: Segment,
  from: number,
  texts: readonly string[],
): AsyncGenerator<string> {
  const searched = texts.map((text) => Buffer.from(text));
  let isFirst = true;
  for await (const lines of wholeLines(readChunks(dir, segment, from))) {
    const start = isFirst ? lines.indexOf(LINE_FEED) : 0;
    if (isFirst) yield lines.toString('utf8', 0, start);
    isFirst = false;
    yield* linesWith(lines, start, searched);
  }
}

function* linesWith(lines: Buffer, from: number, texts: readonly Buffer[]): Generator<string> {
  const next = texts.map((text) => lines.indexOf(text, from));
  for (;;) {
    const at = Math.min(...next.filter((one) => one >= 0));
    if (at === Number.POSITIVE_INFINITY) return;
    const start = lines.lastIndexOf(LINE_FEED, at) + 1;
    const end = lines.indexOf(LINE_FEED, at);
    yield lines.toString('utf8', start, end);
    for (const [n, one] of next.entries())
      if (one >= 0 && one < end) next[n] = lines.indexOf(texts[n] ?? '', end);
  }
}
