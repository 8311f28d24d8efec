import { KEYS } from '../../../record/fields.ts';
import { type Numbers, numbersIn, type SequenceRange } from '../../../record/numbers.ts';
import { type OnUnreadable, readChunks } from '../read.ts';
import { listSegments, type Segment } from '../segment.ts';
import { wholeLines } from '../split-lines.ts';

/** Records that were deleted for space. */
export interface DeletedRange extends SequenceRange {
  readonly count: number;
}

/** What is deleted with a segment. */
export interface Deleted {
  readonly ranges: readonly DeletedRange[];
  /**
   * A hook that has other records among it, of unknown numbers; undefined: the ranges are everything. Of a
   * segment that cannot be read, nobody knows which hooks these are: it is that of the lines around them.
   */
  readonly unknownOf: string | undefined;
}

type GrowingRange = { -readonly [K in keyof SequenceRange]: SequenceRange[K] };

/** By hook and CPU, the last range that repeated earlier deletions. */
export type Repeated = Map<string, Pick<SequenceRange, 'firstSeq' | 'lastSeq'>>;

/** Returns the text in the line of a loss that records a deletion of unknown numbers. */
export function unknownLossText(hookId: string): string {
  return `"${KEYS.lossStage}":"retention","${KEYS.lossHookId}":"${hookId}"}`;
}

const UNKNOWN = new RegExp(unknownLossText('(\\d+)'));

/**
 * Returns what nothing explains any more once a segment is deleted: the numbers of its records and of
 * its losses. If the segment recorded earlier deletions of a hook that continues
 * after it, the ranges cover those as well, unless a later segment has `repeated` them.
 *
 * If it cannot be read to its end, the ranges reach from 1 to the first numbers in the segments that
 * follow, and there are unknown numbers: of CPUs and hooks that do not follow. Returns undefined if it has
 * no numbers then, and nothing that follows has any yet.
 */
export async function deletedRanges(
  dir: string,
  segment: Segment,
  repeated: Repeated,
  signal: AbortSignal,
  onUnreadable: OnUnreadable,
): Promise<Deleted | undefined> {
  const collected = new Collected();
  let unknownOf: string | undefined;
  try {
    for await (const lines of wholeLines(readChunks(dir, segment, 0))) {
      if (signal.aborted) break;
      const text = lines.toString('latin1');
      for (const numbers of numbersIn(text)) collected.add(numbers);
      unknownOf = UNKNOWN.exec(text)?.[1] ?? unknownOf;
    }
    // An earlier deletion is recorded again, like those with numbers.
    if (unknownOf !== collected.hookId) unknownOf = undefined;
  } catch (error) {
    onUnreadable(error as Error);
    const following = await firstNumbers(dir, segment.number, signal);
    if (collected.isEmpty && following.length === 0) return undefined;
    const next = following.find(({ firstSeq }) => firstSeq > 1);
    unknownOf = next?.hookId ?? collected.hookId ?? following[0]?.hookId;
    collected.reachUpTo(following);
  }
  return { ranges: collected.ranges(repeated), unknownOf };
}

/**
 * Finds the lowest number of each hook and CPU that follows a segment. It reads segments until one has
 * nothing new: a CPU that executes nothing for that long is not found.
 */
async function firstNumbers(
  dir: string,
  after: number,
  signal: AbortSignal,
): Promise<SequenceRange[]> {
  const first = new Map<string, GrowingRange>();
  const segments = await listSegments(dir);
  for (const segment of segments.filter(({ number }) => number > after)) {
    const known = first.size;
    try {
      for await (const lines of wholeLines(readChunks(dir, segment, 0))) {
        if (signal.aborted) return [];
        for (const numbers of numbersIn(lines.toString('latin1'))) keepLowest(first, numbers);
      }
    } catch {
      // What follows is not all that there is; but without any number, nothing would say what is deleted.
      if (first.size > 0) break;
    }
    if (known > 0 && first.size === known) break;
  }
  return [...first.values()];
}

function keepLowest(first: Map<string, GrowingRange>, { stage, ...range }: Numbers): void {
  if (stage === 'retention') return;
  const one = first.get(keyOf(range));
  if (one === undefined) first.set(keyOf(range), range);
  else one.firstSeq = Math.min(one.firstSeq, range.firstSeq);
}

function keyOf({ hookId, cpu }: Pick<SequenceRange, 'hookId' | 'cpu'>): string {
  return `${hookId}:${cpu}`;
}

class Collected {
  #ranges: GrowingRange[] = [];
  /** The newest range of each hook and CPU. */
  readonly #latest = new Map<string, GrowingRange>();
  /**
   * The deletions that losses record of each; the oldest records are deleted first, so there is no
   * gap between them.
   */
  readonly #deleted = new Map<string, GrowingRange>();
  /** The hook of the last record. */
  hookId: string | undefined;

  get isEmpty(): boolean {
    return this.#ranges.length === 0 && this.#deleted.size === 0;
  }

  add({ stage, ...range }: Numbers): void {
    const key = keyOf(range);
    if (stage === 'retention') {
      const before = this.#deleted.get(key) ?? range;
      const firstSeq = Math.min(before.firstSeq, range.firstSeq);
      const lastSeq = Math.max(before.lastSeq, range.lastSeq);
      this.#deleted.set(key, { ...range, firstSeq, lastSeq });
      return;
    }
    this.hookId = range.hookId;
    const latest = this.#latest.get(key);
    if (latest?.lastSeq === range.firstSeq - 1) {
      latest.lastSeq = range.lastSeq;
      return;
    }
    this.#ranges.push(range);
    this.#latest.set(key, range);
  }

  /**
   * Adds, for each CPU, all numbers up to the first one that follows: the oldest records are deleted
   * first, and the records of earlier deletions may be where the segment cannot be read.
   */
  reachUpTo(following: readonly SequenceRange[]): void {
    for (const { hookId, cpu, firstSeq } of following) {
      const key = keyOf({ hookId, cpu });
      this.#ranges = this.#ranges.filter((one) => keyOf(one) !== key);
      if (firstSeq > 1) this.#ranges.push({ hookId, cpu, firstSeq: 1, lastSeq: firstSeq - 1 });
    }
  }

  ranges(repeated: Repeated): DeletedRange[] {
    for (const [key, range] of this.#deleted) {
      if (this.hookId !== undefined && range.hookId !== this.hookId) continue;
      const again = repeated.get(key);
      // The line of that range is not in this segment, or this segment's ranges would reach as far.
      if (again && again.firstSeq <= range.firstSeq && range.lastSeq < again.lastSeq) continue;
      const own = this.#ranges.find((one) => keyOf(one) === key);
      if (own === undefined) this.#ranges.push(range);
      else own.firstSeq = Math.min(own.firstSeq, range.firstSeq);
      repeated.set(key, { ...(own ?? range) });
    }
    return this.#ranges.map((range) => ({ ...range, count: range.lastSeq - range.firstSeq + 1 }));
  }
}
