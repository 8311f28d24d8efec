import type { FrameTest, IndexedSegments } from '../journal/indexed.ts';
import type { OnUnreadable } from '../journal/read.ts';
import type { Segment } from '../journal/segment.ts';
import { wholeLines } from '../journal/split-lines.ts';
import { discarded } from '../kube/garbage.ts';
import { KnownIds, mayBeIn } from './known-ids.ts';

/** More records than this are not one record's. */
const MATCHES_MAX = 16;
/** Their ids are kept in memory. */
const EFFECTS_MAX = 100_000;
const ID = '{"id":"';
const CAUSE = '"parent_cause":"';
const ID_LENGTH = 36;
const LINE_FEED = 0x0a;

/** A journal's segments, the oldest first. */
export interface Searched {
  readonly indexed: IndexedSegments;
  readonly segments: readonly Segment[];
  /** receives why a part of the answer is missing */
  readonly onUnreadable: OnUnreadable;
}

/** A line, and the index of its segment. */
interface Match {
  readonly line: string;
  readonly at: number;
}

/**
 * Yields the record whose id begins like this, after its causes, and before what it caused, each as
 * the journal has it. If there are several such records, yields them alone. Reads the segments
 * again and again rather than keeping them in memory.
 */
export async function* related(journal: Searched, beginning: string): AsyncGenerator<string> {
  const matches = await matchesOf(journal, beginning);
  const [only] = matches;
  if (matches.length !== 1 || only === undefined) {
    for (const { line } of matches) yield line;
    return;
  }
  const causes = await causesOf(journal, only);
  yield* causes.toReversed();
  yield only.line;
  yield* effectsOf(journal, only, new Set(causes.map(idOf)));
}

function search(journal: Searched, segment: Segment, id: string): AsyncGenerator<string> {
  const mayHave: FrameTest = () => (frame) => mayBeIn(frame.ids, id);
  return scan(journal, segment, mayHave, (lines) => linesWith(lines, `${ID}${id}`));
}

async function matchesOf(journal: Searched, beginning: string): Promise<Match[]> {
  const matches: Match[] = [];
  for (const [at, segment] of journal.segments.entries()) {
    for await (const line of search(journal, segment, beginning)) {
      matches.push({ line, at });
      if (matches.length >= MATCHES_MAX) return matches;
    }
  }
  return matches;
}

/** Returns the lines of the causes, the nearest first. A cause is in its effect's segment or before. */
async function causesOf(journal: Searched, { line, at }: Match): Promise<string[]> {
  const causes: string[] = [];
  const known = new Set([idOf(line)]);
  let cause = causeOf(line);
  for (const segment of journal.segments.slice(0, at + 1).toReversed()) {
    let isThere = true;
    while (cause !== undefined && isThere) {
      isThere = false;
      for await (const found of search(journal, segment, `${cause}"`)) {
        // Links of a journal that was tampered with may run in a circle.
        if (known.has(idOf(found))) return causes;
        known.add(idOf(found));
        causes.push(found);
        cause = causeOf(found);
        isThere = true;
        break;
      }
    }
    if (cause === undefined) break;
  }
  return causes;
}

/** Yields the lines of a record's children, of their children and so on, in the journal's order. */
async function* effectsOf(
  journal: Searched,
  { line, at }: Match,
  causes: ReadonlySet<string>,
): AsyncGenerator<string> {
  const known = new KnownIds();
  known.add(idOf(line));
  const mayHave: FrameTest = () => (frame) => known.mayMeet(frame.parents);
  for (const segment of journal.segments.slice(at)) {
    for await (const child of scan(journal, segment, mayHave, (lines) =>
      childrenIn(lines, known),
    )) {
      const id = idOf(child);
      if (known.has(id) || causes.has(id)) continue;
      if (known.size > EFFECTS_MAX) {
        journal.onUnreadable(
          new Error(`it has more than ${EFFECTS_MAX} effects, and these are the first`),
        );
        return;
      }
      known.add(id);
      yield child;
    }
  }
}

/** Yields what `pick` finds in a segment. */
async function* scan(
  { indexed, onUnreadable }: Searched,
  segment: Segment,
  mayHave: FrameTest,
  pick: (lines: Buffer) => Iterable<string>,
): AsyncGenerator<string> {
  try {
    for await (const lines of wholeLines(indexed.chunks(segment, mayHave))) {
      yield* pick(lines);
      discarded(lines.length);
    }
  } catch (error) {
    onUnreadable(error as Error);
  }
}

/** The set may grow between two lines. */
function* childrenIn(lines: Buffer, known: KnownIds): Generator<string> {
  let at = lines.indexOf(CAUSE);
  while (at >= 0) {
    const from = at + CAUSE.length;
    const end = lines.indexOf(LINE_FEED, from);
    if (known.has(lines.toString('latin1', from, from + ID_LENGTH)))
      yield lines.toString('utf8', lines.lastIndexOf(LINE_FEED, at) + 1, end);
    at = lines.indexOf(CAUSE, end);
  }
}

/** Yields the lines that begin like this. */
function* linesWith(lines: Buffer, beginning: string): Generator<string> {
  for (let at = lines.indexOf(beginning); at >= 0; ) {
    const end = lines.indexOf(LINE_FEED, at);
    if (at === 0 || lines[at - 1] === LINE_FEED) yield lines.toString('utf8', at, end);
    at = lines.indexOf(beginning, end);
  }
}

function idOf(line: string): string {
  return line.slice(ID.length, ID.length + ID_LENGTH);
}

function causeOf(line: string): string | undefined {
  return new RegExp(`${CAUSE}([0-9a-f-]{${ID_LENGTH}})"`).exec(line)?.[1];
}
