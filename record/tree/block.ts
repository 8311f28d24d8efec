import type { Hash } from 'node:crypto';
import { Frontier } from './frontier.ts';
import { beginChunk, CHUNK_BYTES, chunkHash } from './hashes.ts';

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
  #tree = new Frontier();
  #chunk: Hash | undefined;
  #chunkBytes = 0;
  #bytes = 0;

  /** The bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what follows: the bytes `from` up to `to`. */
  add(text: Buffer, from = 0, to = text.length): void {
    for (let at = from; at < to; ) {
      const end = chunkEnd(text, at, to, this.#chunkBytes);
      const bytes = this.#chunkBytes + end - at;
      const isEnded = bytes >= CHUNK_BYTES && text[end - 1] === LINE_FEED;
      const part = text.subarray(at, end);
      if (isEnded && this.#chunk === undefined) this.#tree.add(chunkHash(part));
      else {
        this.#chunk ??= beginChunk();
        this.#chunk.update(part);
        this.#chunkBytes = bytes;
        if (isEnded) this.#endChunk();
      }
      at = end;
    }
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

  #endChunk(): void {
    if (this.#chunk === undefined) return;
    this.#tree.add(this.#chunk.digest());
    this.#chunk = undefined;
    this.#chunkBytes = 0;
  }
}
