import { CAUSES_MAX, type Part } from '../memory.ts';
import { Refusal } from '../refusal.ts';

/** The records of a part, and the names of their ends. */
interface Found<One> {
  readonly shown: readonly One[];
  readonly next: string | undefined;
  readonly prev: string | undefined;
}

/**
 * Returns a part of an answer from up to one record more than its limit, in the direction of the
 * part; that one says whether there are more.
 */
export function partOf<One>(
  found: readonly One[],
  { place, isBackwards, from, limit }: Part,
  nameOf: (one: One) => string,
): Found<One> {
  const hasMore = found.length > limit;
  const kept = found.slice(0, limit);
  const shown = isBackwards ? kept.toReversed() : kept;
  const [first, last] = [shown[0], shown.at(-1)];
  const isInside = (place ?? from) !== undefined;
  const hasNext = isBackwards ? isInside : hasMore;
  const hasPrev = isBackwards ? hasMore : isInside;
  return {
    shown,
    next: hasNext && last !== undefined ? nameOf(last) : undefined,
    prev: hasPrev && first !== undefined ? nameOf(first) : undefined,
  };
}

/** Returns what of a chain is shown: a record, its nearest causes, and the last one. */
export function endsOf<One>(chain: readonly One[]): readonly One[] {
  const most = 1 + CAUSES_MAX;
  return chain.length <= most + 1 ? chain : [...chain.slice(0, most), ...chain.slice(-1)];
}

/** Reads a place that is an offset. */
export function offsetOf({ place = '0' }: Part): number {
  if (!/^\d{1,12}$/.test(place)) throw badPlace();
  return Number(place);
}

/** The refusal of a place that no answer had. */
export function badPlace(): Refusal {
  return new Refusal(
    400,
    'after and before must be what an earlier answer had as `next` or `prev`',
  );
}
