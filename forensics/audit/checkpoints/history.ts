import { counted } from '../../../record/describe.ts';
import { NO_LINE } from '../../../record/tree/hashes.ts';
import type { NumberRange } from '../../../record/types.ts';
import type { Code } from '../codes.ts';
import type { CheckpointFacts, SealedBlock, SegmentFacts, Stretch } from './segment-facts.ts';
import { leafOf, Tree } from './tree.ts';
import { checkpointInWords, segmentsInWords, stretchInWords, timeInWords } from './words.ts';

/** A segment of a journal. */
export interface Segment {
  readonly path: string;
  readonly number: number;
  /** undefined: it cannot be read */
  readonly facts: SegmentFacts | undefined;
}

/** Something that checkpoints show, and the segment that shows it. */
export interface TreeFinding {
  readonly code: Code;
  readonly path: string;
  readonly line?: number;
  readonly id?: string;
  readonly more: string;
}

/** A checkpoint of a journal, and where it is. */
export interface Met extends SealedBlock {
  readonly path: string;
  /** the place among all checkpoints of its journal */
  readonly index: number;
}

/** What is known of one journal from its checkpoints. */
export interface History {
  /** its node's id, or its name; undefined: no line says it */
  readonly host: string | undefined;
  readonly findings: readonly TreeFinding[];
  /** in their order */
  readonly checkpoints: readonly Met[];
  /** what is behind the last checkpoint, of each segment that has something there */
  readonly tail: readonly (Stretch & { readonly path: string })[];
  /** Whether segments are not here for a known reason, or cannot be read. */
  readonly hasHoles: boolean;
}

/**
 * Verifies the segments of a journal, in their order. `explained` are numbers of segments, in their order, that
 * may not be among them for a known reason.
 */
export function historyOf(segments: readonly Segment[], explained: readonly number[]): History {
  const follower = new Follower(explained);
  for (const segment of segments) follower.add(segment);
  return follower.end();
}

class Follower {
  readonly #explained: readonly number[];
  readonly #findings: TreeFinding[] = [];
  readonly #checkpoints: Met[] = [];
  readonly #epochs = new Set<string>();
  /** segments since the last checkpoint that have lines behind it */
  #open: (Stretch & { readonly path: string })[] = [];
  #tree = Tree.unknown;
  #segment: Segment | undefined;
  /** Whether a part is not here for a known reason, so that the next checkpoint need not follow. */
  #isApart = false;
  #hasHoles = false;
  #host: string | undefined;
  /** numbers of segments that are missing since the last checkpoint */
  #missing: NumberRange[] = [];

  constructor(explained: readonly number[]) {
    this.#explained = explained;
  }

  add(segment: Segment): void {
    this.#noteGap(segment);
    this.#segment = segment;
    const { facts, path } = segment;
    if (facts === undefined) {
      this.#isApart = true;
      this.#hasHoles = true;
      return;
    }
    for (const line of facts.unreadable)
      this.#find('CHECKPOINT_FIELDS', 'it is not read as a checkpoint', { line });
    this.#host ??= facts.host;
    let before: SealedBlock | undefined;
    for (const block of facts.blocks) {
      this.#take(block, before);
      before = block;
    }
    if (facts.tail.bytes > 0 || facts.blocks.length === 0) this.#open.push({ ...facts.tail, path });
  }

  end(): History {
    if (this.#missing.length > 0 && this.#checkpoints.length > 0)
      this.#findings.push({
        code: 'CHECKPOINT_MISSING',
        path: this.#path,
        more: `${segmentsInWords(this.#missing)} before it; ${ONLY_OLDEST}`,
      });
    return {
      host: this.#checkpoints[0]?.checkpoint.host ?? this.#host,
      findings: this.#findings,
      checkpoints: this.#checkpoints,
      tail: this.#open,
      hasHoles: this.#hasHoles,
    };
  }

  #noteGap({ number }: Segment): void {
    let first = (this.#segment?.number ?? number) + 1;
    if (first >= number) return;
    for (const one of this.#explained) {
      if (one < first || one >= number) continue;
      this.#isApart = true;
      this.#hasHoles = true;
      if (one > first) this.#missing.push({ first, last: one - 1 });
      first = one + 1;
    }
    if (first < number) this.#missing.push({ first, last: number - 1 });
  }

  #take(block: SealedBlock, before: SealedBlock | undefined): void {
    const { checkpoint } = block;
    const last = this.#checkpoints.at(-1);
    const previousLine = lineBefore(checkpoint, before);
    if (previousLine === undefined)
      this.#at(block, 'CHECKPOINT_MISSING', 'the first checkpoint of its segment is missing');
    else this.#checkBlock(block, previousLine);
    this.#checkOpen(block);
    if (checkpoint.reason !== undefined) this.#begin(block, last);
    else this.#follow(block, last);
    this.#checkpoints.push({ ...block, path: this.#path, index: this.#checkpoints.length });
    this.#epochs.add(checkpoint.epoch);
    this.#isApart = false;
    this.#missing = [];
    this.#open = [];
  }

  #checkBlock(block: SealedBlock, previousLine: string): void {
    const { checkpoint, bytes, root } = block;
    if (checkpoint.bytes === bytes && checkpoint.leaf === leafOf(previousLine, root)) return;
    const said = checkpoint.bytes === bytes ? '' : `; the block had ${checkpoint.bytes} bytes`;
    const more = `${stretchInWords(block)}, or the checkpoint before them${said}`;
    this.#at(block, 'BLOCK_CHANGED', more);
  }

  /** Takes the first checkpoint of an epoch. */
  #begin(block: SealedBlock, last: Met | undefined): void {
    const { checkpoint } = block;
    const { size, continued, epoch, reason, leaf, root, previous } = checkpoint;
    this.#reportMissing(block, last);
    this.#tree = Tree.empty.with(leaf);
    if (size !== 1 || continued !== undefined || this.#tree.root !== root) {
      this.#at(block, 'CHECKPOINT_FIELDS', 'the first of an epoch must be a tree of one leaf');
      this.#tree = Tree.unknown;
    }
    if (this.#epochs.has(epoch))
      this.#at(block, 'CHECKPOINT_FORKED', 'the epoch begins a second time');
    if (reason === 'new' && last !== undefined)
      this.#at(block, 'CHECKPOINT_FORKED', 'the journal begins again behind other checkpoints');
    if (previous !== undefined) this.#checkPrevious(block, previous, last);
    if (reason !== 'new') this.#at(block, 'EPOCH_BEGUN', epochInWords(checkpoint, last));
  }

  /**
   * Compares what an epoch names as the end before it with the last checkpoint there. An agent that cannot read
   * that names none.
   */
  #checkPrevious(block: SealedBlock, previous: Previous, last: Met | undefined): void {
    const { epoch, size } = previous;
    const named = `it names checkpoint ${size} of the epoch ${epoch} as the one before it`;
    if (last === undefined) {
      if (this.#segment?.number === FIRST_SEGMENT)
        this.#at(block, 'CHECKPOINT_MISSING', `${named}, and that is not there`);
      return;
    }
    const { checkpoint } = last;
    if (epoch === checkpoint.epoch && size === checkpoint.size) {
      if (previous.root === checkpoint.root) return;
      const more = `it names another root of the ${checkpointInWords(last)} than that has`;
      this.#at(block, 'CHECKPOINT_FORKED', more);
      return;
    }
    const isEarlier = epoch === checkpoint.epoch ? size < checkpoint.size : this.#epochs.has(epoch);
    if (isEarlier) {
      const more = `${named}, and the ${checkpointInWords(last)} is between them`;
      this.#at(block, 'CHECKPOINT_FORKED', more);
    } else if (!this.#isApart)
      this.#at(block, 'CHECKPOINT_MISSING', `${named}, and that is not there`);
  }

  /** Takes a checkpoint that continues an epoch. */
  #follow(block: SealedBlock, last: Met | undefined): void {
    const { checkpoint } = block;
    const { size, continued, epoch, leaf, root, unverifiedSegments } = checkpoint;
    const former = last?.checkpoint;
    const follows = former?.epoch === epoch && size === former.size + 1;
    const isNext = continued === undefined || continued.previousLine === last?.lineHash;
    // A checkpoint that could not be written has a leaf, and no line.
    const mayBeSkipped = continued !== undefined && isNext && unverifiedSegments > 0;
    const isSkipped = mayBeSkipped && former?.epoch === epoch && size > former.size;
    this.#reportMissing(block, last);
    if (last !== undefined && !this.#isApart && !follows && !isSkipped)
      this.#reportJump(block, last);
    else if (follows && !isNext) {
      const more = 'it continues another checkpoint than the one before it';
      this.#at(block, 'CHECKPOINT_FORKED', more);
    }
    const tree = follows && isNext ? this.#tree : Tree.unknown;
    const stated = continued && Tree.of(size - 1, continued.frontier);
    if (continued !== undefined && (stated === undefined || !tree.isLike(stated)))
      this.#at(block, 'CHECKPOINT_FORKED', 'its frontier is not that of the tree before it');
    this.#tree = (stated ?? tree).with(leaf);
    if (!this.#tree.mayBe(size, root)) {
      this.#at(block, 'CHECKPOINT_FORKED', 'its root does not follow from the leaves');
      this.#tree = Tree.unknown;
    }
  }

  /** Reports segments that are not there. */
  #reportMissing(block: SealedBlock, last: Met | undefined): void {
    if (this.#missing.length === 0) return;
    const { epoch, size } = block.checkpoint;
    const leaves = last?.checkpoint.epoch === epoch ? size - last.checkpoint.size - 1 : 0;
    const with_ = leaves > 0 ? `, and with them ${leaves} checkpoints` : '';
    const more = `${segmentsInWords(this.#missing)} before it${with_}; ${ONLY_OLDEST}`;
    this.#at(block, 'CHECKPOINT_MISSING', more);
    this.#isApart = true;
  }

  #reportJump(block: SealedBlock, last: Met): void {
    const { epoch, size } = block.checkpoint;
    const { checkpoint: former } = last;
    if (former.epoch !== epoch && this.#epochs.has(epoch))
      this.#at(block, 'CHECKPOINT_FORKED', 'it continues an epoch that has ended');
    else if (former.epoch !== epoch)
      this.#at(block, 'CHECKPOINT_MISSING', 'the first checkpoint of its epoch is not there');
    else if (size > former.size)
      this.#at(
        block,
        'CHECKPOINT_MISSING',
        `${size - former.size - 1} between ${former.size} and ${size} are not there`,
      );
    else this.#at(block, 'CHECKPOINT_FORKED', `it stands behind the ${checkpointInWords(last)}`);
  }

  /** Compares the segments without a checkpoint at their end with what the next one says of them. */
  #checkOpen(block: SealedBlock): void {
    const open = this.#open.filter(({ bytes }) => bytes > 0);
    const [first] = open;
    if (first === undefined) return;
    const { unverifiedSegments: said } = block.checkpoint;
    const segments = `${counted(open.length, 'segment')} before it, from ${first.path} on`;
    if (open.length > said && !this.#isApart && this.#missing.length === 0)
      this.#at(
        block,
        'CHECKPOINT_MISSING',
        `${segments}, have none at their end, and it knows of ${said}`,
      );
    const more = `${segments}: ${stretchInWords(first)}`;
    this.#findings.push({ code: 'LINES_UNVERIFIED', path: first.path, more });
  }

  #at(block: SealedBlock, code: Code, more: string): void {
    const { line, checkpoint } = block;
    this.#find(code, `${more}; it is the ${checkpointInWords(block)}`, { line, id: checkpoint.id });
  }

  #find(code: Code, more: string, where: { readonly line: number; readonly id?: string }): void {
    this.#findings.push({ code, path: this.#path, more, ...where });
  }

  get #path(): string {
    return this.#segment?.path ?? '';
  }
}

type Previous = NonNullable<CheckpointFacts['previous']>;

/** Returns the hash of the line that a checkpoint must follow; undefined: it does not say. */
function lineBefore(
  checkpoint: CheckpointFacts,
  before: SealedBlock | undefined,
): string | undefined {
  if (checkpoint.reason !== undefined) return NO_LINE_TEXT;
  return before?.lineHash ?? checkpoint.continued?.previousLine;
}

/** What is before the first checkpoint of this segment can have been in no other one. */
const FIRST_SEGMENT = 1;
const ONLY_OLDEST = 'only the oldest are deleted for space';

const NO_LINE_TEXT = NO_LINE.toString('base64');

function epochInWords({ reason, previous, time }: CheckpointFacts, last: Met | undefined): string {
  const why = REASONS[reason ?? ''] ?? `its reason is ${reason}`;
  const behind =
    previous !== undefined && previous.epoch === last?.checkpoint.epoch
      ? previous.size - last.checkpoint.size
      : 0;
  const gone =
    behind > 0 ? `; ${behind} checkpoints of the epoch before are not in the journal` : '';
  return `at ${timeInWords(time)}, ${why}${gone}`;
}

const REASONS: Readonly<Record<string, string>> = {
  upgraded: 'because an agent without checkpoints had written before (upgraded)',
  damaged: 'because the last segment had no checkpoint that could be read (damaged)',
  truncated: 'because the journal had lost its end (truncated)',
};
