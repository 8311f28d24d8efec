import type { LineNotes } from '../../../record/index/line-notes.ts';
import type { Chain, TreeFacts } from '../../../record/tree/chain.ts';
import type { Resumed } from './resume-chain.ts';

/** A block ends after so many bytes, or after the interval. */
const BLOCK_BYTES = 4 << 20;

/** What the journal knows of a checkpoint. */
export interface SealFacts extends TreeFacts {
  readonly unverifiedSegments: number;
}

/** The line of a checkpoint. */
export interface SealedLine {
  /** with its line feed */
  readonly bytes: Buffer;
  readonly notes: LineNotes;
  /** Called once it is in the journal. */
  written(): void;
}

/** Makes the line of a checkpoint. */
export type MakeLine = (facts: SealFacts) => SealedLine;

/**
 * Knows when a checkpoint is due, and makes its line. Once made, a line stays the next one until it is
 * written: readers may have seen it before the disk refused it.
 */
export class Sealing {
  readonly #chain: Chain;
  readonly #intervalMs: number;
  readonly #make: MakeLine;
  readonly #onDue: () => void;
  #unverified: number;
  #line: SealedLine | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isExpired = false;
  /** Whether this run has written a line. */
  #hasBegun = false;

  /** `onDue` is called when an interval is over in which lines were added. */
  constructor(
    { chain, unverified }: Resumed,
    options: { readonly intervalMs: number; readonly make: MakeLine; readonly onDue: () => void },
  ) {
    this.#chain = chain;
    this.#unverified = unverified;
    this.#intervalMs = options.intervalMs;
    this.#make = options.make;
    this.#onDue = options.onDue;
  }

  /** Whether a checkpoint must be written before anything else. */
  get isPending(): boolean {
    return this.#line !== undefined;
  }

  /** Whether a block is to end now. */
  get isDue(): boolean {
    return this.#hasBegun && (this.#isExpired || this.#chain.bytes >= BLOCK_BYTES);
  }

  /** Whether there are lines behind the last checkpoint of the segment. */
  get hasLines(): boolean {
    return this.#chain.bytes > 0;
  }

  /** Takes lines that are in the segment now, and are no checkpoint. */
  add(lines: Buffer, length: number): void {
    this.#hasBegun = true;
    this.#chain.add(lines, 0, length);
    this.retryLater();
  }

  /** Says at the end of an interval that a checkpoint is due. */
  retryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#isExpired = true;
      this.#onDue();
    }, this.#intervalMs).unref();
  }

  /**
   * Returns the next line; undefined: nothing was written since the last one, or by an earlier run alone.
   * A checkpoint behind that would say something of this run before its journal.start does.
   */
  next(): SealedLine | undefined {
    if (this.#line === undefined && this.#hasBegun && this.#chain.bytes > 0) {
      this.stop();
      this.#line = this.#make({ ...this.#chain.seal(), unverifiedSegments: this.#unverified });
    }
    return this.#line;
  }

  /** Says that the line is in the journal. */
  written({ bytes, written }: SealedLine): void {
    this.#line = undefined;
    this.#unverified = 0;
    this.#chain.written(bytes);
    written();
  }

  /** Begins a segment. */
  nextSegment(): void {
    if (this.#chain.bytes > 0 || this.isPending) this.#unverified += 1;
    this.#line = undefined;
    this.#chain.nextSegment();
  }

  /** Ends the interval, without a checkpoint. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isExpired = false;
  }
}
