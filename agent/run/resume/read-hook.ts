import { KEYS } from '../../../record/fields.ts';
import { numbersIn } from '../../../record/numbers.ts';
import { readSegment } from '../../journal/read.ts';
import { searchSegment } from '../../journal/search.ts';
import { listSegments, type Position, type Segment, segmentFile } from '../../journal/segment.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
  append,
  type Continuity,
  continuityFrom,
  type Followed,
  follow,
  SAYING_MORE,
} from './continuity.ts';

/** The hook that is attached now. */
export interface LiveHook {
  readonly hookId: string;
  /** By CPU: the last number that the kernel knows to be in a journal. */
  readonly readSeq: readonly number[];
}

/**
 * How much text is searched for the last numbers of a hook that is no longer attached. All they are
 * for is to say from which number on records may be missing.
 */
const FORMER_HOOK_BYTES = 128 << 20;

/** What a journal says about one hook. */
interface HookRead {
  readonly known: Continuity;
  /** The boots and the earlier hooks whose ends its lines record. */
  readonly ended: ReadonlySet<string>;
  /** The position of its first line, if it has only those lines with which a run begins. */
  readonly begin: Position | undefined;
}

/** What is read back, and what was read of it by now. */
export interface Reading {
  readonly dir: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly live: LiveHook;
  readonly onUnreadable: (error: Error) => void;
  /** Whether the number of every line is needed. */
  readonly isExact: boolean;
  /** What was found in each segment: none is read twice. */
  readonly found: Map<number, Found>;
}

/** What was found in a segment. */
interface Found {
  /** in the order of their lines */
  readonly parts: readonly Part[];
  /** Whether it may have other lines. */
  readonly isDamaged: boolean;
}

/** What the lines of one hook in one segment say. */
interface Part {
  readonly known: Continuity;
  /** The offset of the first of them. */
  begin: number;
  /** Whether it has more lines than those with which a run begins. */
  hasMore: boolean;
  ended: Set<string>;
  /** Whether the segments before it have nothing about the hook. */
  isFirst: boolean;
  /** Whether the numbers in the segments before it are known. */
  hasNumbers: boolean;
  /** Bytes of text that were read. */
  bytes: number;
}

/** The parts of a segment that is being read. */
interface SegmentRead {
  readonly part: Part;
  readonly earlier: Part[];
  /** Lines that are no records. */
  unreadable: number;
}

/**
 * Reads what a journal says about the last hook before `end`: from the newest segment backwards to a
 * checkpoint or, if there is none, as far as needed. Of the attached hook it needs every loss, but
 * the kernel knows nearly all numbers; of a former hook it needs the last numbers alone.
 */
export async function readHook(reading: Reading, end: Position): Promise<HookRead> {
  const { dir, checkpoint, live, isExact } = reading;
  const from = checkpoint?.position ?? { segment: 0, offset: 0 };
  const parts: Part[] = [];
  let begin: Position | undefined;
  let hookId: string | undefined;
  let bytes = 0;
  let hasNumbers = false;
  let hasMore = false;
  // Whether lines of the attached hook may be where nothing can be read; and so those before all others.
  let [isDamaged, isFrontGone] = [false, false];
  let next: number | undefined;
  for (const segment of (await listSegments(dir)).reverse()) {
    if (segment.number > end.segment) continue;
    if (segment.number < from.segment) break;
    // Only the oldest segments are deleted for space.
    const isMissing = next !== undefined && segment.number < next - 1;
    next = segment.number;
    const offset = segment.number === from.segment ? from.offset : 0;
    const to = segment.number === end.segment ? end.offset : Number.POSITIVE_INFINITY;
    const found = await foundIn(reading, segment, offset, hasNumbers && hasMore && !isExact);
    const part = found.parts.findLast((one) => one.begin < to);
    const isDoubtful = isMissing || found.isDamaged;
    if (hookId === undefined || hookId === live.hookId) isDamaged ||= isDoubtful;
    isFrontGone ||= isDoubtful;
    hookId ??= part?.known.hookId;
    if (part?.known.hookId === undefined) continue;
    if (part.known.hookId !== hookId) break;
    isFrontGone = false;
    parts.push(part);
    begin = { segment: segment.number, offset: part.begin };
    bytes += part.bytes;
    hasNumbers ||= part.hasNumbers;
    hasMore ||= part.hasMore;
    if (part.isFirst) break;
    if (hookId !== live.hookId && hasMore && (hasNumbers || bytes >= FORMER_HOOK_BYTES)) break;
  }
  const known = continuityFrom(checkpoint);
  // A checkpoint counts more lines than these.
  hasMore ||= known.hookId === hookId;
  for (const part of parts.reverse()) append(known, part.known);
  if (isFrontGone && known.hookId !== checkpoint?.hookId) known.beginSeq = [];
  const isWhole = known.beginSeq.length > 0 || known.deleted.size > 0;
  known.isDamaged ||= isDamaged || (hookId === live.hookId && !isWhole);
  const ended = new Set(parts.flatMap((part) => [...part.ended]));
  return { known, ended, begin: hasMore ? undefined : begin };
}

/** Reads a segment; with `hasNumbers`, only lines that say more are read. */
async function foundIn(
  reading: Reading,
  segment: Segment,
  from: number,
  hasNumbers: boolean,
): Promise<Found> {
  const { dir, live, onUnreadable } = reading;
  const before = reading.found.get(segment.number);
  if (before !== undefined) return before;
  const read: SegmentRead = { part: newPart(from, hasNumbers), earlier: [], unreadable: 0 };
  let isDamaged = false;
  const note = (error: Error) => {
    isDamaged = true;
    onUnreadable(error);
  };
  try {
    await readParts(read, dir, segment, from, live);
  } catch (error) {
    note(error as Error);
  }
  if (read.unreadable > 0) {
    const file = segmentFile(dir, segment);
    note(new Error(`${file}: ${read.unreadable} lines are no records, and are skipped`));
  }
  const found = { parts: [...read.earlier, read.part], isDamaged };
  reading.found.set(segment.number, found);
  return found;
}

function newPart(begin: number, hasNumbers: boolean): Part {
  const known = continuityFrom();
  const ended = new Set<string>();
  return { known, begin, hasMore: false, ended, isFirst: false, hasNumbers, bytes: 0 };
}

async function readParts(
  read: SegmentRead,
  dir: string,
  segment: Segment,
  from: number,
  live: LiveHook,
): Promise<void> {
  if (read.part.hasNumbers) {
    const lines = searchSegment(dir, segment, from, SAYING_MORE);
    for await (const line of lines) followIn(read, line, from, live);
    return;
  }
  let at = from;
  for await (const { line, offset } of readSegment(dir, segment, from)) {
    followIn(read, line, at, live);
    at = offset;
    read.part.bytes = offset - from;
  }
}

/** Follows the line at an offset, which counts only where all lines are read. */
function followIn(read: SegmentRead, line: string, at: number, live: LiveHook): void {
  const { part } = read;
  const { known } = part;
  const { hookId } = known;
  const before = { ...known };
  const record = follow(known, line);
  if (record === undefined) {
    read.unreadable += 1;
    return;
  }
  if (hookId !== known.hookId) {
    if (hookId !== undefined) read.earlier.push({ ...part, known: before });
    part.isFirst = hookId !== undefined;
    part.begin = at;
    part.hasMore = false;
    part.ended = new Set();
  }
  noteEnd(part, record);
  // journal.start has the next number of each CPU.
  if (record !== 'numbers' && record.action === 'journal.start') {
    part.hasNumbers = true;
    part.isFirst ||= record.attributes[KEYS.hookState] === 'attached';
  }
  if (known.hookId === live.hookId) part.hasNumbers ||= isKnownToKernel(line, live);
}

/** Notes whether a line records the end of a boot or of an earlier hook, as the first lines do. */
function noteEnd(part: Part, record: Followed | 'numbers'): void {
  const { action, attributes = {} } = record === 'numbers' ? {} : record;
  if (action === 'journal.start') return;
  const {
    [KEYS.lossBootId]: bootId,
    [KEYS.lossHookId]: hookId,
    [KEYS.lossStage]: stage,
  } = attributes;
  if (stage === 'reboot') part.ended.add(`${bootId}`);
  else if (stage === 'kernel' && hookId !== part.known.hookId) part.ended.add(`${hookId}`);
  else part.hasMore = true;
}

/**
 * Whether the kernel knows that this line is in a journal; then it knows this of all lines before
 * it.
 */
function isKnownToKernel(line: string, { hookId, readSeq }: LiveHook): boolean {
  const [numbers] = numbersIn(line);
  if (numbers === undefined || numbers.stage !== undefined) return false;
  return numbers.hookId === hookId && numbers.lastSeq <= (readSeq[numbers.cpu] ?? 0);
}
