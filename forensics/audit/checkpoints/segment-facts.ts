import type { ReadCheckpoint } from '../../../record/tree/read-checkpoint.ts';
import type { Content } from './content.ts';

/** A stretch of lines, by bytes of the segment's text. */
export interface Stretch {
  readonly from: number;
  readonly bytes: number;
  readonly lines: number;
  /** the times of its first and its last line, in Unix nanoseconds; undefined: there is none */
  readonly first: string | undefined;
  readonly last: string | undefined;
}

/** The lines of a block, and the checkpoint behind them. */
export interface SealedBlock extends Stretch {
  /** the root of the block as it is, in base64 */
  readonly root: string;
  /** the number of the checkpoint's line, counted from 1 */
  readonly line: number;
  readonly lineBytes: number;
  /** the SHA-256 of the checkpoint's line with its line feed, in base64 */
  readonly lineHash: string;
  /** of the checkpoint's record */
  readonly content: Content;
  readonly checkpoint: CheckpointFacts;
}

/** What a checkpoint's line says, as values that threads can pass on. */
export type CheckpointFacts = Named & Hashes<ReadCheckpoint>;

interface Named {
  /** the record's id */
  readonly id: string;
  /** the id of the node, or its name where it has no id */
  readonly host: string;
  /** Unix nanoseconds */
  readonly time: string;
}

/** The same with hashes in base64. */
type Hashes<T> = T extends Buffer
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Hashes<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Hashes<T[K]> }
      : T;

/** What the text of a segment has. */
export interface SegmentFacts {
  /** the id of the node in the first line, or its name; undefined: it does not say */
  readonly host: string | undefined;
  readonly blocks: readonly SealedBlock[];
  /** the lines behind the last checkpoint, also a torn one */
  readonly tail: Stretch;
  /** the lines that say that they are checkpoints, and are none that can be read */
  readonly unreadable: readonly number[];
}
