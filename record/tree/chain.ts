import { randomUUID } from 'node:crypto';
import type { Checkpoint, EpochBegin } from '../types.ts';
import { Block } from './block.ts';
import { Frontier } from './frontier.ts';
import { leafHash, NO_LINE, sha256 } from './hashes.ts';

/** What a checkpoint says of its block and its tree. */
export type TreeFacts = Pick<
  Checkpoint,
  'epoch' | 'begin' | 'size' | 'root' | 'bytes' | 'leaf' | 'continued'
>;

/** An epoch that continues: its tree, and the SHA-256 of the line of its last checkpoint. */
export interface Continued {
  readonly epoch: string;
  readonly tree: Frontier;
  readonly previousLine: Buffer;
}

/** Follows the lines of a journal as they are written, and makes the facts of its checkpoints. */
export class Chain {
  readonly #epoch: string;
  readonly #tree: Frontier;
  readonly #block: Block;
  #begin: EpochBegin | undefined;
  #previousLine: Buffer;
  /** Whether this segment has no checkpoint of this epoch yet. */
  #isFirstOfSegment = true;

  /** Continues an epoch, or begins one. `block` has the lines that are in no block yet. */
  constructor(from: Continued | EpochBegin, block = new Block()) {
    this.#block = block;
    const isContinued = 'tree' in from;
    this.#epoch = isContinued ? from.epoch : randomUUID();
    this.#tree = isContinued ? from.tree.copy() : new Frontier();
    this.#begin = isContinued ? undefined : from;
    this.#previousLine = isContinued ? from.previousLine : NO_LINE;
  }

  /** The bytes of lines since the last checkpoint. */
  get bytes(): number {
    return this.#block.bytes;
  }

  /** Adds lines that the segment has now, `from` up to `to`. */
  add(lines: Buffer, from: number, to: number): void {
    this.#block.add(lines, from, to);
  }

  /** Ends the block, and returns what its checkpoint says. Then pass the checkpoint's line to written(). */
  seal(): TreeFacts {
    const { bytes } = this.#block;
    const leaf = leafHash(this.#previousLine, this.#block.end());
    const frontier = this.#tree.roots.map(base64);
    this.#tree.add(leaf);
    const isContinued = this.#isFirstOfSegment && this.#begin === undefined;
    const facts = {
      epoch: this.#epoch,
      begin: this.#begin,
      size: this.#tree.size,
      root: base64(this.#tree.root),
      bytes,
      leaf: base64(leaf),
      continued: isContinued ? { previousLine: base64(this.#previousLine), frontier } : undefined,
    };
    this.#begin = undefined;
    this.#isFirstOfSegment = false;
    return facts;
  }

  /** Takes the line of the last checkpoint, with its line feed. */
  written(line: Uint8Array): void {
    this.#previousLine = sha256(line);
  }

  /** Begins a segment. Lines behind the last checkpoint of the one before are in no block. */
  nextSegment(): void {
    this.#block.end();
    this.#isFirstOfSegment = true;
  }

  /** Says that this segment has a checkpoint of the epoch already. */
  resumeSegment(): void {
    this.#isFirstOfSegment = false;
  }
}

function base64(hash: Buffer): string {
  return hash.toString('base64');
}
