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
    // What was deleted was in this journal, also if the first start that is left comes later.
    const [from, to] = known.deleted.get(cpu) ?? [begin, 0];
    const least = Math.max(Math.min(begin, from), isSameHook ? (known.checkpointSeq[cpu] ?? 1) : 1);
    const range = [least, known.isDamaged ? last : Math.min(last, to)] as const;
    const missing = isSameHook ? known.seen.missing(cpu, range) : [range];
    for (const [first, end] of missing) if (first <= end) losses.doubt(cpu, first, end);
  }
  return losses;
}
