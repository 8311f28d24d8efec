import { readText } from './text.ts';

const LINE_FEED = 0x0a;

/**
 * Yields the lines of a file that have certain bytes, and their numbers from 1. A line without an end, or
 * with a damage in it, is left out.
 */
export async function* linesWith(
  path: string,
  needle: Buffer,
): AsyncGenerator<{ readonly text: string; readonly number: number }> {
  let number = 0;
  let rest: Buffer[] = [];
  for await (const part of readText(path)) {
    if (!Buffer.isBuffer(part)) {
      rest = [];
      continue;
    }
    let at = 0;
    for (let end = part.indexOf(LINE_FEED); end >= 0; end = part.indexOf(LINE_FEED, at)) {
      number += 1;
      const line =
        rest.length === 0
          ? part.subarray(at, end)
          : Buffer.concat([...rest, part.subarray(at, end)]);
      if (line.includes(needle)) yield { text: line.toString(), number };
      rest = [];
      at = end + 1;
    }
    if (at < part.length) rest.push(Buffer.from(part.subarray(at)));
  }
}
