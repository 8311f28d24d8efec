import { type Numbers, numbersIn, type SequenceRange } from '../../../record/numbers.ts';
import { readChunks } from '../read.ts';
import type { Segment } from '../segment.ts';
import { wholeLines } from '../split-lines.ts';

/** Records that were deleted for space. */
export interface DeletedRange extends SequenceRange {
  readonly count: number;
}

type GrowingRange = { -readonly [K in keyof SequenceRange]: SequenceRange[K] };

/** By hook and CPU, the last range that repeated earlier deletions. */
export type Repeated = Map<string, Pick<SequenceRange, 'firstSeq' | 'lastSeq'>>;

/**
 * Returns the ranges that nothing explains any more once a segment is deleted: the numbers of its
 * records and of its losses. If the segment recorded earlier deletions of a hook that continues
 * after it, the ranges cover those as well, unless a later segment has `repeated` them.
 */
export async function deletedRanges(
  dir: string,
  segment: Segment,
  repeated: Repeated,
  signal: AbortSignal,
): Promise<DeletedRange[]> {
  const collected = new Collected();
  for await (const lines of wholeLines(readChunks(dir, segment, 0))) {
    if (signal.aborted) break;
    for (const numbers of numbersIn(lines.toString('latin1'))) collected.add(numbers);
  }
  return collected.ranges(repeated);
}

class Collected {
  readonly #ranges: GrowingRange[] = [];
  /** The newest range of each hook and CPU. */
  readonly #latest = new Map<string, GrowingRange>();
  /**
   * The deletions that losses record of each; the oldest records are deleted first, so there is no
   * gap between them.
   */
  readonly #deleted = new Map<string, GrowingRange>();
  /** The hook of the last record. */
  #hookId: string | undefined;

  add({ stage, ...range }: Numbers): void {
    const key = `${range.hookId}:${range.cpu}`;
    if (stage === 'retention') {
      const before = this.#deleted.get(key) ?? range;
      const firstSeq = Math.min(before.firstSeq, range.firstSeq);
      const lastSeq = Math.max(before.lastSeq, range.lastSeq);
      this.#deleted.set(key, { ...range, firstSeq, lastSeq });
      return;
    }
    this.#hookId = range.hookId;
    const latest = this.#latest.get(key);
    if (latest?.lastSeq === range.firstSeq - 1) {
      latest.lastSeq = range.lastSeq;
      return;
    }
    this.#ranges.push(range);
    this.#latest.set(key, range);
  }

  ranges(repeated: Repeated): DeletedRange[] {
    for (const [key, range] of this.#deleted) {
      if (this.#hookId !== undefined && range.hookId !== this.#hookId) continue;
      const again = repeated.get(key);
      // The line of that range is not in this segment, or this segment's ranges would reach as far.
      if (again && again.firstSeq <= range.firstSeq && range.lastSeq < again.lastSeq) continue;
      const own = this.#ranges.find((one) => `${one.hookId}:${one.cpu}` === key);
      if (own === undefined) this.#ranges.push(range);
      else own.firstSeq = range.firstSeq;
      repeated.set(key, { ...(own ?? range) });
    }
    return this.#ranges.map((range) => ({ ...range, count: range.lastSeq - range.firstSeq + 1 }));
  }
}
