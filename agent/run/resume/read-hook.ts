import { KEYS } from '../../../record/fields.ts';
import { numbersIn } from '../../../record/numbers.ts';
import { readSegment } from '../../journal/read.ts';
import { searchSegment } from '../../journal/search.ts';
import { listSegments, type Position, type Segment } from '../../journal/segment.ts';
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

/** What the lines of one segment say, from its last hook's first line in it on. */
interface Part {
  readonly known: Continuity;
  /** The offset of that first line. */
  begin: number;
  /** Whether it has more lines than those with which a run begins. */
  hasMore: boolean;
  readonly ended: Set<string>;
  /** Whether the segments before it have nothing about the hook. */
  isFirst: boolean;
  /** Whether the numbers in the segments before it are known. */
  hasNumbers: boolean;
  /** Bytes of text that were read. */
  bytes: number;
}

/**
 * Reads what a journal says about the last hook before `end`: from the newest segment backwards to a
 * checkpoint or, if there is none, as far as needed. Of the attached hook it needs every loss, but
 * the kernel knows nearly all numbers; of a former hook it needs the last numbers alone.
 */
export async function readHook(
  dir: string,
  checkpoint: Checkpoint | undefined,
  live: LiveHook,
  onUnreadable: (error: Error) => void,
  end: Position,
): Promise<HookRead> {
  const from = checkpoint?.position ?? { segment: 0, offset: 0 };
  const parts: Part[] = [];
  let begin: Position | undefined;
  let hookId: string | undefined;
  let bytes = 0;
  let hasNumbers = false;
  let hasMore = false;
  for (const segment of listSegments(dir).reverse()) {
    if (segment.number > end.segment) continue;
    if (segment.number < from.segment) break;
    const offset = segment.number === from.segment ? from.offset : 0;
    const to = segment.number === end.segment ? end.offset : Number.POSITIVE_INFINITY;
    const part = newPart(hasNumbers && hasMore);
    try {
      await readPart(part, dir, segment, [offset, to], live);
    } catch (error) {
      onUnreadable(error as Error);
    }
    if (part.known.hookId === undefined) continue;
    hookId ??= part.known.hookId;
    if (part.known.hookId !== hookId) break;
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
  const ended = new Set(parts.flatMap((part) => [...part.ended]));
  return { known, ended, begin: hasMore ? undefined : begin };
}

function newPart(hasNumbers: boolean): Part {
  const known = continuityFrom();
  const ended = new Set<string>();
  return { known, begin: 0, hasMore: false, ended, isFirst: false, hasNumbers, bytes: 0 };
}

async function readPart(
  part: Part,
  dir: string,
  segment: Segment,
  [from, to]: readonly [from: number, to: number],
  live: LiveHook,
): Promise<void> {
  if (part.hasNumbers) {
    const lines = searchSegment(dir, segment, from, SAYING_MORE);
    for await (const line of lines) followIn(part, line, from, live);
    return;
  }
  let at = from;
  for await (const { line, offset } of readSegment(dir, segment, from)) {
    if (offset > to) return;
    followIn(part, line, at, live);
    at = offset;
    part.bytes = offset - from;
  }
}

/** Follows the line at an offset, which counts only where all lines are read. */
function followIn(part: Part, line: string, at: number, live: LiveHook): void {
  const { known } = part;
  const { hookId } = known;
  const record = follow(known, line);
  if (hookId !== known.hookId) {
    part.isFirst = hookId !== undefined;
    part.begin = at;
    part.hasMore = false;
    part.ended.clear();
  }
  noteEnd(part, record);
  // journal.start has the next number of each CPU.
  if (record?.action === 'journal.start') {
    part.hasNumbers = true;
    part.isFirst ||= record.attributes[KEYS.hookState] === 'attached';
  }
  if (known.hookId === live.hookId) part.hasNumbers ||= isKnownToKernel(line, live);
}

/** Notes whether a line records the end of a boot or of an earlier hook, as the first lines do. */
function noteEnd(part: Part, record: Followed | undefined): void {
  if (record?.action === 'journal.start') return;
  const {
    [KEYS.lossBootId]: bootId,
    [KEYS.lossHookId]: hookId,
    [KEYS.lossStage]: stage,
  } = record?.attributes ?? {};
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
