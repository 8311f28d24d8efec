import { KEYS } from '../../../record/fields.ts';
import { LAYOUT } from '../../../record/line/layout.ts';
import type { Block } from '../../../record/tree/block.ts';
import { Frontier } from '../../../record/tree/frontier.ts';
import { sha256 } from '../../../record/tree/hashes.ts';
import {
  CHECKPOINT_MARK,
  type ReadCheckpoint,
  readCheckpoint,
} from '../../../record/tree/read-checkpoint.ts';
import { readChunks } from '../read.ts';
import type { Segment } from '../segment.ts';
import { wholeLines } from '../split-lines.ts';

const LINE_FEED = 0x0a;
const START_MARK = Buffer.from(`${LAYOUT.action}"journal.start"${LAYOUT.object}`);

/** What the lines of a segment say of the tree. */
export interface SegmentTree {
  /** its last checkpoint; undefined: it has none that can be read */
  readonly last: ReadCheckpoint | undefined;
  /** the SHA-256 of the line of the last checkpoint */
  readonly lastLine: Buffer;
  /** the tree of the last checkpoint; undefined: the checkpoints do not make one */
  readonly tree: Frontier | undefined;
  /** Whether a line is a checkpoint that cannot be read. */
  readonly isDamaged: boolean;
  /** Whether lines follow the last checkpoint. */
  readonly hasTail: boolean;
  /** the version of the format that the last journal.start says; undefined: there is none */
  readonly format: number | undefined;
}

/**
 * Reads a segment as a whole; `block` gets the lines behind the last checkpoint. Throws if it cannot be
 * read.
 */
export async function readSegmentTree(
  dir: string,
  segment: Segment,
  block?: Block,
): Promise<SegmentTree> {
  const reading = new Reading(block);
  for await (const text of wholeLines(readChunks(dir, segment, 0))) reading.add(text);
  return reading;
}

class Reading implements SegmentTree {
  last: ReadCheckpoint | undefined;
  lastLine: Buffer = Buffer.alloc(0);
  tree: Frontier | undefined;
  isDamaged = false;
  hasTail = false;
  format: number | undefined;
  readonly #block: Block | undefined;

  constructor(block: Block | undefined) {
    this.#block = block;
  }

  /** Takes whole lines. */
  add(text: Buffer): void {
    let at = 0;
    for (const [from, to] of linesWith(text, CHECKPOINT_MARK)) {
      const checkpoint = readCheckpoint(text.toString('utf8', from, to - 1));
      this.isDamaged ||= checkpoint === undefined;
      if (checkpoint === undefined) continue;
      this.#block?.add(text, at, from);
      this.#block?.end();
      at = to;
      this.hasTail = false;
      this.#follow(checkpoint);
      this.lastLine = sha256(text.subarray(from, to));
    }
    this.#block?.add(text, at);
    this.hasTail ||= at < text.length;
    for (const [from, to] of linesWith(text, START_MARK))
      this.format = formatIn(text.toString('utf8', from, to - 1)) ?? this.format;
  }

  #follow(checkpoint: ReadCheckpoint): void {
    const { epoch, size, root, leaf } = checkpoint;
    const isKnown = this.tree !== undefined && this.last?.epoch === epoch;
    const tree = isKnown ? this.tree : treeBefore(checkpoint);
    tree?.add(leaf);
    this.tree = tree?.size === size && tree.root.equals(root) ? tree : undefined;
    this.last = checkpoint;
  }
}

function treeBefore({ size, reason, continued }: ReadCheckpoint): Frontier | undefined {
  if (size === 1 && reason !== undefined) return new Frontier();
  try {
    return continued && new Frontier(size - 1, continued.frontier);
  } catch {
    return undefined; // it does not have as many subtrees as leaves
  }
}

/** Finds lines: where each begins, and where it ends behind its line feed. */
function* linesWith(text: Buffer, mark: Buffer): Generator<[from: number, to: number]> {
  for (let at = text.indexOf(mark); at >= 0; ) {
    const from = text.lastIndexOf(LINE_FEED, at) + 1;
    const to = text.indexOf(LINE_FEED, at) + 1;
    yield [from, to];
    at = text.indexOf(mark, to);
  }
}

function formatIn(line: string): number | undefined {
  try {
    const { [KEYS.formatVersion]: version = 1 } = JSON.parse(line).attributes;
    // Version 1 is written as a string.
    return Number.isSafeInteger(Number(version)) ? Number(version) : undefined;
  } catch {
    return undefined; // it is damaged
  }
}
