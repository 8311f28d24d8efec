import { Block } from '../../../record/tree/block.ts';
import { Chain } from '../../../record/tree/chain.ts';
import type { HashParts } from '../../../record/tree/hashes.ts';
import type { EpochBegin, EpochReason } from '../../../record/types.ts';
import { listSegments, type Position, type Segment } from '../segment.ts';
import { readSegmentTree, type SegmentTree } from './segment-tree.ts';

/** The first version of the format with checkpoints. */
const FORMAT_WITH_CHECKPOINTS = 2;

/** How the checkpoints of a journal continue. */
export interface Resumed {
  readonly chain: Chain;
  /** How many segments since the last checkpoint have none at their end. */
  readonly unverified: number;
}

/**
 * Finds how the checkpoints of a journal continue behind `end`: it reads the segment that is written, and, if
 * that has none, the one before. `known` are positions that the journal had reached, as far as others
 * know. `hash` hashes what is added from now on.
 */
export async function resumeChain(
  dir: string,
  end: Position,
  known: readonly Position[],
  hash?: HashParts,
): Promise<Resumed> {
  const segments = await listSegments(dir);
  const block = new Block(hash);
  const open = await treeOf(dir, segments, end.segment, block);
  const isTruncated = known.some((position) => isBehind(position, end));
  if (open?.last !== undefined) {
    if (!isTruncated && open.tree !== undefined) return goOn(open, open.tree, block, true);
    return begin(isTruncated ? 'truncated' : 'damaged', open, block, 0);
  }
  const former = await treeOf(dir, segments, end.segment - 1);
  const isEnded = former?.last !== undefined && !former.hasTail;
  if (!isTruncated && isEnded && former.tree !== undefined)
    return goOn(former, former.tree, block, false);
  return begin(
    isTruncated ? 'truncated' : reasonOf(open, former, end.segment),
    former,
    block,
    isEnded ? 0 : withoutEnd(segments, former, end.segment),
  );
}

/** Returns why nothing can be continued, although the journal is as long as it was. */
function reasonOf(
  open: SegmentTree | undefined,
  former: SegmentTree | undefined,
  number: number,
): EpochReason {
  const format = open?.format ?? former?.format;
  if (format !== undefined && format < FORMAT_WITH_CHECKPOINTS) return 'upgraded';
  if (open?.isDamaged) return 'damaged';
  // Its first run ended before its first checkpoint.
  if (number === 1) return 'new';
  const isOld = former !== undefined && former.last === undefined && format === undefined;
  return isOld ? 'upgraded' : 'damaged';
}

/** Counts the segments before the open one that follow the last checkpoint, as far as that is known. */
function withoutEnd(
  segments: readonly Segment[],
  former: SegmentTree | undefined,
  open: number,
): number {
  if (former === undefined) return 0;
  return former.last === undefined ? segments.filter(({ number }) => number < open).length : 1;
}

/** Returns what a segment says; undefined: it is not there, or cannot be read. */
async function treeOf(
  dir: string,
  segments: readonly Segment[],
  number: number,
  block?: Block,
): Promise<SegmentTree | undefined> {
  const segment = segments.find((one) => one.number === number);
  try {
    return segment && (await readSegmentTree(dir, segment, block));
  } catch {
    block?.end();
    return undefined; // readers of the journal say why
  }
}

function goOn(
  { last, lastLine }: SegmentTree,
  tree: NonNullable<SegmentTree['tree']>,
  block: Block,
  isInSegment: boolean,
): Resumed {
  const chain = new Chain({ epoch: last?.epoch ?? '', tree, previousLine: lastLine }, block);
  if (isInSegment) chain.resumeSegment();
  return { chain, unverified: 0 };
}

function begin(
  reason: EpochReason,
  former: SegmentTree | undefined,
  block: Block,
  unverified: number,
): Resumed {
  const last = former?.last;
  const previous = last && {
    epoch: last.epoch,
    size: last.size,
    root: last.root.toString('base64'),
  };
  const from: EpochBegin = { reason, previous };
  return { chain: new Chain(from, block), unverified };
}

function isBehind(position: Position, end: Position): boolean {
  return (
    position.segment > end.segment ||
    (position.segment === end.segment && position.offset > end.offset)
  );
}
