import { KEYS } from '../fields.ts';
import { LAYOUT } from '../line/layout.ts';
import { hashFrom } from './hashes.ts';

/**
 * What every checkpoint's line has, and no other line: in a string of another line, the quotes would be
 * escaped.
 */
export const CHECKPOINT_MARK = Buffer.from(`${LAYOUT.action}"journal.checkpoint"${LAYOUT.object}`);
/** A tree has fewer complete subtrees than this. */
const SUBTREES_MAX = 53;

/** What a line says of a tree of checkpoints. */
export interface ReadCheckpoint {
  /** UUID */
  readonly epoch: string;
  /** why the epoch began; undefined: it is not the first */
  readonly reason: string | undefined;
  readonly size: number;
  readonly root: Buffer;
  /** of its block */
  readonly bytes: number;
  readonly leaf: Buffer;
  /** Only in the first of a segment, except in the first of an epoch. */
  readonly continued:
    | { readonly previousLine: Buffer; readonly frontier: readonly Buffer[] }
    | undefined;
  /** the last checkpoint that is known of the epoch before; only in the first of an epoch */
  readonly previous:
    | { readonly epoch: string; readonly size: number; readonly root: Buffer }
    | undefined;
  readonly unverifiedSegments: number;
}

/** Reads the line of a checkpoint; undefined: it is none, or is damaged. */
export function readCheckpoint(line: string): ReadCheckpoint | undefined {
  const attributes = attributesIn(line);
  return attributes && checkpointOf(attributes);
}

/** Reads the attributes of a checkpoint; undefined: they are damaged. */
export function checkpointOf(
  attributes: Readonly<Record<string, unknown>>,
): ReadCheckpoint | undefined {
  const { [KEYS.checkpointEpoch]: epoch, [KEYS.checkpointReason]: reason } = attributes;
  const { [KEYS.checkpointSize]: size, [KEYS.checkpointBytes]: bytes } = attributes;
  const root = hashIn(attributes[KEYS.checkpointRoot]);
  const leaf = hashIn(attributes[KEYS.checkpointLeaf]);
  const continued = continuedIn(attributes);
  if (typeof epoch !== 'string' || root === undefined || leaf === undefined) return undefined;
  if (!isCount(size) || size === 0 || !isCount(bytes) || continued === null) return undefined;
  if (reason !== undefined && typeof reason !== 'string') return undefined;
  const { [KEYS.checkpointUnverifiedSegments]: unverifiedSegments = 0 } = attributes;
  const previous = previousIn(attributes);
  if (!isCount(unverifiedSegments) || previous === null) return undefined;
  return { epoch, reason, size, root, bytes, leaf, continued, previous, unverifiedSegments };
}

function attributesIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { action, attributes } = JSON.parse(line);
    const isRead = typeof attributes === 'object' && attributes !== null;
    return action === 'journal.checkpoint' && isRead ? attributes : undefined;
  } catch {
    return undefined;
  }
}

/** Returns null if it is damaged. */
function continuedIn(
  attributes: Readonly<Record<string, unknown>>,
): ReadCheckpoint['continued'] | null {
  const { [KEYS.checkpointPreviousLine]: line, [KEYS.checkpointFrontier]: roots } = attributes;
  if (line === undefined && roots === undefined) return undefined;
  const previousLine = hashIn(line);
  if (previousLine === undefined || !Array.isArray(roots)) return null;
  if (roots.length > SUBTREES_MAX) return null;
  const frontier = roots.map(hashIn).filter((root) => root !== undefined);
  return frontier.length === roots.length ? { previousLine, frontier } : null;
}

/** Returns null if it is damaged. */
function previousIn(
  attributes: Readonly<Record<string, unknown>>,
): ReadCheckpoint['previous'] | null {
  const { [KEYS.checkpointPreviousEpoch]: epoch, [KEYS.checkpointPreviousSize]: size } = attributes;
  const { [KEYS.checkpointPreviousRoot]: text } = attributes;
  if (epoch === undefined && size === undefined && text === undefined) return undefined;
  const root = hashIn(text);
  return typeof epoch === 'string' && isCount(size) && root !== undefined
    ? { epoch, size, root }
    : null;
}

function hashIn(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? hashFrom(value) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
