import { existsSync, readFileSync } from 'node:fs';
import {
  listSegmentsSync,
  type Position,
  type Segment,
  segmentFile,
} from '../../../agent/journal/segment.ts';
import type { JournalLine } from '../../../agent/journal/split-lines.ts';
import { everyFrame } from '../every-frame.ts';

/** Reads all whole lines from a position on, in the plainest way that there is. */
export function readLinesSync(dir: string, from?: Position): JournalLine[] {
  const lines: JournalLine[] = [];
  for (const segment of listSegmentsSync(dir)) {
    if (from !== undefined && segment.number < from.segment) continue;
    const text = textOf(dir, segment);
    let start = segment.number === from?.segment ? from.offset : 0;
    for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
      const line = text.toString('utf8', start, end);
      lines.push({ line, segment: segment.number, offset: end + 1 });
      start = end + 1;
    }
  }
  return lines;
}

/** Returns the texts of all segments, the oldest first. */
export function segmentTexts(dir: string): Buffer[] {
  return listSegmentsSync(dir).map((segment) => textOf(dir, segment));
}

/** A segment's text; nothing if a writer has deleted it meanwhile. */
function textOf(dir: string, { number }: Segment): Buffer {
  for (const compressed of [false, true, true]) {
    const file = segmentFile(dir, { number, compressed });
    if (!existsSync(file)) continue;
    try {
      const bytes = readFileSync(file);
      return compressed ? everyFrame(bytes) : bytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return Buffer.alloc(0);
}
