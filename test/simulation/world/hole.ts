import fs from 'node:fs';
import { join } from 'node:path';
import { everyFrame } from '../../support/every-frame.ts';

const SEGMENT = /^(\d{20})\.jsonl(\.zst)?$/;

/**
 * Finds what is wrong with the segments that a power cut leaves in a folder: lines of `history` must
 * be there with all lines before them, except for those that were deleted from the beginning.
 */
export function findHole(dir: string, history: readonly string[]): string | undefined {
  const places = new Map(history.map((line, n) => [line, n]));
  let last: number | undefined;
  for (const name of segmentsIn(dir)) {
    let text: string;
    try {
      text = readSegment(join(dir, name));
    } catch (error) {
      return `a power cut damages ${name}: ${error}`;
    }
    for (const line of text.split('\n').slice(0, -1)) {
      const place = places.get(line);
      if (place === undefined) return `a power cut leaves in ${name}: ${line.slice(0, 200)}`;
      if (last !== undefined && place !== last + 1)
        return `a power cut leaves line ${place} in ${name} after line ${last}`;
      last = place;
    }
  }
  return undefined;
}

/** Returns the lines of all segments of a folder. */
export function linesIn(dir: string): string[] {
  return segmentsIn(dir).flatMap((name) => readSegment(join(dir, name)).split('\n').slice(0, -1));
}

/** Returns the segments in order; a compressed one hides its plain form. */
function segmentsIn(dir: string): string[] {
  const forms = new Map<string, string>();
  for (const name of fs.readdirSync(dir).sort()) {
    const number = SEGMENT.exec(name)?.[1];
    if (number !== undefined) forms.set(number, name);
  }
  return [...forms.values()];
}

/** Returns the whole lines of a segment before its first hole. */
function readSegment(file: string): string {
  const bytes = fs.readFileSync(file);
  const text = file.endsWith('.zst') ? everyFrame(bytes) : bytes;
  const hole = text.indexOf(0);
  const sound = hole < 0 ? text : text.subarray(0, hole);
  return sound.toString('utf8', 0, sound.lastIndexOf(0x0a) + 1);
}
