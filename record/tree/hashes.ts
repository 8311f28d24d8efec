/**
 * The hashes of checkpoints (docs/evidence.md): SHA-256, with RFC 6962's prefixes, so that no leaf can
 * be taken for a node above two others.
 */
import { createHash, type Hash, hash } from 'node:crypto';

export const HASH_BYTES = 32;
/** A block ends a chunk with the line that takes it to this size or more. */
export const CHUNK_BYTES = 16_384;
const LEAF_PREFIX = Buffer.of(0);
const NODE_PREFIX = Buffer.of(1);
/** In place of the previous checkpoint's line in the first leaf of an epoch. */
export const NO_LINE = Buffer.alloc(HASH_BYTES);

/** Returns the bytes of base64 in its only form with all padding, and undefined of anything else. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Returns a hash from its base64, and undefined of anything else. */
export function hashFrom(text: string): Buffer | undefined {
  const bytes = fromBase64(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}

/** Returns the SHA-256 of these bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** Begins the hash of a chunk that comes in parts. */
export function beginChunk(): Hash {
  return createHash('sha256').update(LEAF_PREFIX);
}

/** What most chunks fit in, behind the prefix of a leaf. */
const room = Buffer.alloc(LEAF_PREFIX.length + 4 * CHUNK_BYTES);

/** Returns the hash of a chunk. A copy and one call cost four fifths of an object that takes its parts. */
export function chunkHash(chunk: Buffer): Buffer {
  const end = LEAF_PREFIX.length + chunk.length;
  if (end > room.length) return beginChunk().update(chunk).digest();
  chunk.copy(room, LEAF_PREFIX.length);
  return sha256(room.subarray(0, end));
}

/** Returns the hash of a node above two others. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE_PREFIX, left, right]));
}

/**
 * Returns the leaf of a checkpoint, from the hash of the previous checkpoint's line with its line feed
 * (NO_LINE: it is the first of its epoch) and the root of its block.
 */
export function leafHash(previousLine: Uint8Array, blockRoot: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, previousLine, blockRoot]));
}
