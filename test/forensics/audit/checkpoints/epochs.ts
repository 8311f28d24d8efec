import type { EpochBegin } from '../../../../record/types.ts';
import { type Block, checkpointsIn, Sealer, sealed } from '../../../support/checkpoints.ts';

/** The epochs of a journal: a second one may begin behind some of the blocks. */
export interface Epochs {
  readonly first: string;
  readonly second: string;
  /** with which segment of the blocks the second one begins */
  readonly split: number;
  /** Whether it begins in the last segment of the first one. */
  readonly isJoined: boolean;
}

/** Writes the segments of a journal. */
export function written(
  blocks: readonly (readonly Block[])[],
  { first, second, split, isJoined }: Epochs,
): Buffer[] {
  const before = sealed(blocks.slice(0, split), new Sealer(first));
  const rest = blocks.slice(split);
  const previous = endOf(before);
  if (rest.length === 0 || previous === undefined) return before;
  const behind = sealed(rest, new Sealer(second, { reason: 'damaged', previous }));
  return isJoined ? joined(before, behind) : [...before, ...behind];
}

/** Appends segments, the first of them to the last one before. */
export function joined(before: readonly Buffer[], [first, ...others]: readonly Buffer[]): Buffer[] {
  const last = Buffer.concat([before.at(-1) ?? Buffer.alloc(0), first ?? Buffer.alloc(0)]);
  return [...before.slice(0, -1), last, ...others];
}

/** Returns how another epoch names the last checkpoint in segments. */
export function endOf(texts: readonly Buffer[]): NonNullable<EpochBegin['previous']> | undefined {
  const end = checkpointsIn(texts).at(-1)?.attributes as Record<string, unknown> | undefined;
  return (
    end && {
      epoch: String(end['vcml.checkpoint.epoch']),
      size: Number(end['vcml.checkpoint.size']),
      root: String(end['vcml.checkpoint.root']),
    }
  );
}
