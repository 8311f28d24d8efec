/**
 * The hashes of checkpoints (docs/evidence.md): SHA-256, with RFC 6962's prefixes, so that no leaf can
 * be taken for a node above two others.
 */
import { createHash, type Hash, hash } from 'node:crypto';

export const HASH_BYTES = 32;
/** A block ends a chunk with the line that takes it to this size or more. */
export const CHUNK_BYTES = 16_384;
/** The prefixes of RFC 6962. */
export const LEAF = 0;
export const NODE = 1;
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
  return begin(LEAF);
}

/** What the hash of a part begins with: a leaf of a tree, or a node above two others. */
export type Prefix = typeof LEAF | typeof NODE;

/**
 * Hashes parts of a text that follow each other, each behind a prefix; `ends` is where the first begins and
 * where each ends. Returns their hashes, one after the other.
 */
export type HashParts = (prefix: Prefix, text: Buffer, ends: readonly number[]) => Buffer;

/** Hashes parts with OpenSSL; the agent's addon does it faster on some CPUs. */
export const hashParts: HashParts = (prefix, text, ends) =>
  Buffer.concat(ends.slice(1).map((end, n) => hashPart(prefix, text.subarray(ends[n], end))));

/** What most parts fit in, behind the prefix. */
const room = Buffer.alloc(1 + 4 * CHUNK_BYTES);

/** A copy and one call cost four fifths of an object that takes its parts. */
function hashPart(prefix: Prefix, part: Buffer): Buffer {
  if (part.length >= room.length) return begin(prefix).update(part).digest();
  room[0] = prefix;
  part.copy(room, 1);
  return sha256(room.subarray(0, 1 + part.length));
}

/** Returns the hash of a chunk. */
export function chunkHash(chunk: Buffer): Buffer {
  return hashPart(LEAF, chunk);
}

/** Returns the hash of a node above two others. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hashPart(NODE, Buffer.concat([left, right]));
}

/**
 * Returns the leaf of a checkpoint, from the hash of the previous checkpoint's line with its line feed
 * (NO_LINE: it is the first of its epoch) and the root of its block.
 */
export function leafHash(previousLine: Uint8Array, blockRoot: Uint8Array): Buffer {
  return hashPart(LEAF, Buffer.concat([previousLine, blockRoot]));
}

function begin(prefix: Prefix): Hash {
  return createHash('sha256').update(Buffer.of(prefix));
}
