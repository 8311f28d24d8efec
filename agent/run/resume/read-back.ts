import { KEYS } from '../../../record/fields.ts';
import { numbersIn } from '../../../record/numbers.ts';
import { readSegment } from '../../journal/read.ts';
import { searchSegment } from '../../journal/search.ts';
import { listSegments, type Segment } from '../../journal/segment.ts';
import type { Checkpoint } from './checkpoint.ts';
import { append, type Continuity, continuityFrom, follow, SAYING_MORE } from './continuity.ts';

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

/** What the lines of one segment say, from its last hook's first line in it on. */
interface Part {
  readonly known: Continuity;
  /** Whether the segments before it have nothing about the hook. */
  isFirst: boolean;
  /** Whether the numbers in the segments before it are known. */
  hasNumbers: boolean;
  /** Bytes of text that were read. */
  bytes: number;
}

/**
 * Reads a journal from the newest segment backwards to a checkpoint or, if there is none, as far as
 * needed. Of the attached hook it needs every loss, but the kernel knows nearly all numbers; of a
 * former hook it needs the last numbers alone. A segment that cannot be read is passed to
 * `onUnreadable`, and skipped.
 */
export async function readBack(
  dir: string,
  checkpoint: Checkpoint | undefined,
  live: LiveHook,
  onUnreadable: (error: Error) => void,
): Promise<Continuity> {
  const from = checkpoint?.position ?? { segment: 0, offset: 0 };
  const parts: Continuity[] = [];
  let hookId: string | undefined;
  let bytes = 0;
  let hasNumbers = false;
  for (const segment of listSegments(dir).reverse()) {
    if (segment.number < from.segment) break;
    const offset = segment.number === from.segment ? from.offset : 0;
    const part = newPart(hasNumbers);
    try {
      await readPart(part, dir, segment, offset, live);
    } catch (error) {
      onUnreadable(error as Error);
    }
    if (part.known.hookId === undefined) continue;
    hookId ??= part.known.hookId;
    if (part.known.hookId !== hookId) break;
    parts.push(part.known);
    bytes += part.bytes;
    hasNumbers ||= part.hasNumbers;
    if (part.isFirst) break;
    if (hookId !== live.hookId && (hasNumbers || bytes >= FORMER_HOOK_BYTES)) break;
  }
  const known = continuityFrom(checkpoint);
  for (const part of parts.reverse()) append(known, part);
  return known;
}

function newPart(hasNumbers: boolean): Part {
  return { known: continuityFrom(), isFirst: false, hasNumbers, bytes: 0 };
}

async function readPart(
  part: Part,
  dir: string,
  segment: Segment,
  from: number,
  live: LiveHook,
): Promise<void> {
  if (part.hasNumbers) {
    const lines = searchSegment(dir, segment, from, SAYING_MORE);
    for await (const line of lines) followIn(part, line, live);
    return;
  }
  for await (const { line, offset } of readSegment(dir, segment, from)) {
    followIn(part, line, live);
    part.bytes = offset - from;
  }
}

function followIn(part: Part, line: string, live: LiveHook): void {
  const { known } = part;
  const { hookId } = known;
  const record = follow(known, line);
  if (hookId !== undefined && hookId !== known.hookId) part.isFirst = true;
  // journal.start has the next number of each CPU.
  if (record?.action === 'journal.start') {
    part.hasNumbers = true;
    part.isFirst ||= record.attributes[KEYS.hookState] === 'attached';
  }
  if (known.hookId === live.hookId) part.hasNumbers ||= isKnownToKernel(line, live);
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
