import { KEYS } from '../../record/fields.ts';
import { BEHIND_RESOURCE } from '../../record/index/line-head.ts';
import type { IndexedSegments, SegmentPart } from '../journal/indexed.ts';
import type { OnUnreadable } from '../journal/read.ts';
import type { Segment } from '../journal/segment.ts';
import { wholeLines } from '../journal/split-lines.ts';
import { discarded } from '../kube/garbage.ts';
import { type LineTest, OF_JOURNAL, type Selection, timeTest } from './selection.ts';

/** So much text is searched on each side: almost every CPU executes something in it. */
const NEAR_BYTES = 16 << 20;
const LINE_FEED = 0x0a;
const BEFORE_NUMBERS = BEHIND_RESOURCE.toString();
const NUMBERS_BYTES = 256;
const NUMBERS = new RegExp(
  `^([^"]+)","${KEYS.bootTime}":"\\d+","${KEYS.hookId}":"(\\d+)","${KEYS.cpu}":(\\d+),`,
);

/** A journal whose segments are listed, the oldest first. */
export interface Surroundings {
  readonly indexed: IndexedSegments;
  readonly segments: readonly Segment[];
  /** receives why a part cannot be read */
  readonly onUnreadable: OnUnreadable;
}

/** Lines that are not of a time, and tell what is missing in it. */
export interface Neighbors {
  readonly lines: readonly Buffer[];
  /** Whether everything behind the time was searched. */
  readonly reachEnd: boolean;
}

const NOTHING: Neighbors = { lines: [], reachEnd: true };

/** What is on one side of a time. */
interface Side {
  /** the nearest first */
  readonly parts: AsyncIterable<SegmentPart>;
  readonly isOnIt: LineTest;
  /** Whether the last line of a part is the nearest. */
  readonly isBefore: boolean;
}

/**
 * Returns the lines around a time that tell whether numbers are missing in it: on each side the nearest
 * exec of each CPU, and the records about the journal, as far as they are near.
 */
export async function neighborsOf(
  journal: Surroundings,
  { from, before }: Pick<Selection, 'from' | 'before'>,
): Promise<Neighbors> {
  const earlier =
    from === undefined
      ? NOTHING
      : await nearest(journal, {
          parts: earlierParts(journal, from),
          isOnIt: timeTest({ from: undefined, before: from }),
          isBefore: true,
        });
  const later =
    before === undefined
      ? NOTHING
      : await nearest(journal, {
          parts: laterParts(journal, before),
          isOnIt: timeTest({ from: before, before: undefined }),
          isBefore: false,
        });
  return { lines: [...earlier.lines, ...later.lines], reachEnd: later.reachEnd };
}

/** Yields the parts that may have earlier lines, the last one first. */
async function* earlierParts(
  { indexed, segments }: Surroundings,
  from: bigint,
): AsyncGenerator<SegmentPart> {
  for (const segment of segments.toReversed())
    for (const part of (await indexed.parts(segment)).toReversed())
      if (part.content === undefined || part.content.first < from) yield part;
}

async function* laterParts(
  { indexed, segments }: Surroundings,
  before: bigint,
): AsyncGenerator<SegmentPart> {
  for (const segment of segments) {
    if (!(await indexed.mayReach(segment, before))) continue;
    for (const part of await indexed.parts(segment))
      if (part.content === undefined || part.content.last >= before) yield part;
  }
}

async function nearest({ onUnreadable }: Surroundings, side: Side): Promise<Neighbors> {
  const near = new Map<string, string>();
  let bytes = 0;
  let reachEnd = true;
  for await (const part of side.parts) {
    reachEnd = bytes < NEAR_BYTES;
    if (!reachEnd) break;
    const inPart = new Map<string, string>();
    try {
      for await (const lines of wholeLines(part.chunks())) {
        for (const [key, line] of linesOn(side, lines)) {
          bytes += line.length;
          if (side.isBefore || !inPart.has(key)) inPart.set(key, line);
        }
        discarded(lines.length);
      }
    } catch (error) {
      onUnreadable(error as Error);
    }
    for (const [key, line] of inPart) if (!near.has(key)) near.set(key, line);
  }
  const lines = Array.from(near.values(), (line) => Buffer.from(`${line}\n`, 'latin1'));
  return { lines, reachEnd };
}

/** Yields the lines of one side, those of the same CPU under the same key. */
function* linesOn({ isOnIt }: Side, lines: Buffer): Generator<[key: string, line: string]> {
  const view = new DataView(lines.buffer, lines.byteOffset, lines.byteLength);
  let from = 0;
  for (let end = lines.indexOf(LINE_FEED); end >= 0; end = lines.indexOf(LINE_FEED, from)) {
    if (isOnIt(lines, view, from, end)) {
      const line = lines.toString('latin1', from, end);
      yield [line.includes(OF_JOURNAL) ? line : cpuOf(line), line];
    }
    from = end + 1;
  }
}

/** Returns what names the CPU of an exec; all lines that are none have the same. */
function cpuOf(line: string): string {
  const at = line.indexOf(BEFORE_NUMBERS) + BEFORE_NUMBERS.length;
  const numbers = NUMBERS.exec(line.slice(at, at + NUMBERS_BYTES));
  return numbers?.slice(1).join('/') ?? '';
}
