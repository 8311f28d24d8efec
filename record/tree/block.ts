import type { Hash } from 'node:crypto';
import { Frontier } from './frontier.ts';
import { beginChunk, CHUNK_BYTES, type HashParts, hashParts, LEAF } from './hashes.ts';

const LINE_FEED = 0x0a;

/**
 * Returns where the chunk ends that begins at `at`, or has `before` bytes before it; `to`: it continues
 * behind this part of the text.
 */
export function chunkEnd(text: Buffer, at: number, to = text.length, before = 0): number {
  const from = at + Math.max(1, CHUNK_BYTES - before) - 1;
  const feed = from < to ? text.indexOf(LINE_FEED, from) : -1;
  return feed < 0 || feed >= to ? to : feed + 1;
}

/**
 * Hashes the lines of a block, in parts of any size. A chunk ends with the line that takes it to
 * CHUNK_BYTES or more, or with the block.
 */
export class Block {
  readonly #hash: HashParts;
  #tree = new Frontier();
  /** a chunk that is not whole yet */
  #chunk: Hash | undefined;
  #chunkBytes = 0;
  #bytes = 0;

  constructor(hash: HashParts = hashParts) {
    this.#hash = hash;
  }

  /** The bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what follows: the bytes `from` up to `to`. */
  add(text: Buffer, from = 0, to = text.length): void {
    let at = this.#chunk === undefined ? from : this.#addPart(text, from, to);
    const ends = [at];
    while (at < to) {
      const end = chunkEnd(text, at, to);
      if (!isWhole(text, end, end - at)) break;
      ends.push(end);
      at = end;
    }
    if (ends.length > 1) this.#tree.add(this.#hash(LEAF, text, ends), this.#hash);
    if (at < to) this.#addPart(text, at, to);
    this.#bytes += to - from;
  }

  /** Returns the root over all chunks, and begins the next block. */
  end(): Buffer {
    this.#endChunk();
    const { root } = this.#tree;
    this.#tree = new Frontier();
    this.#bytes = 0;
    return root;
  }

  /** Adds a part of a chunk; returns where it ends. */
  #addPart(text: Buffer, at: number, to: number): number {
    const end = chunkEnd(text, at, to, this.#chunkBytes);
    this.#chunk ??= beginChunk();
    this.#chunk.update(text.subarray(at, end));
    this.#chunkBytes += end - at;
    if (isWhole(text, end, this.#chunkBytes)) this.#endChunk();
    return end;
  }

  #endChunk(): void {
    if (this.#chunk === undefined) return;
    this.#tree.add(this.#chunk.digest());
    this.#chunk = undefined;
    this.#chunkBytes = 0;
  }
}

/** Whether a chunk of so many bytes ends there, whatever follows. */
function isWhole(text: Buffer, end: number, bytes: number): boolean {
  return bytes >= CHUNK_BYTES && text[end - 1] === LINE_FEED;
}
