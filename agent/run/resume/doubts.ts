import { Losses } from '../../lineage/losses.ts';
import type { Continuity } from './continuity.ts';

/**
 * Returns what is lost of a hook's numbers below `nextSeq`, by CPU, as far as it is known. Of a number that
 * is neither in the journal nor in an earlier one, nobody knows: what said so cannot be read, or is
 * deleted.
 */
export function lossesOf(known: Continuity, hookId: string, nextSeq: ArrayLike<number>): Losses {
  const isSameHook = known.hookId === hookId;
  const losses = isSameHook ? known.losses : new Losses();
  for (let cpu = 0; cpu < nextSeq.length; cpu++) {
    const last = (nextSeq[cpu] ?? 1) - 1;
    const begin = isSameHook ? (known.beginSeq[cpu] ?? 1) : 1;
    const [from, to] = known.isDamaged ? [1, last] : (known.deleted.get(cpu) ?? [1, 0]);
    const range = [Math.max(begin, from), Math.min(last, to)] as const;
    const missing = isSameHook ? known.seen.missing(cpu, range) : [range];
    for (const [first, end] of missing) if (first <= end) losses.doubt(cpu, first, end);
  }
  return losses;
}
