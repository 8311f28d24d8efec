import { HASH_BYTES, type HashParts, hashParts, NODE, nodeHash, sha256 } from './hashes.ts';

const PAIR_BYTES = 2 * HASH_BYTES;

/**
 * An RFC 6962 tree that grows, as the roots of its complete subtrees, the largest first. They are all
 * that is needed to add leaves, and to know the root.
 */
export class Frontier {
  readonly #roots: Buffer[];
  #size: number;

  /**
   * Continues a tree of `size` leaves. Throws a RangeError if it cannot have so many complete subtrees.
   */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || roots.length !== subtrees(size))
      throw new RangeError(
        `${roots.length} complete subtrees do not make a tree of ${size} leaves`,
      );
    this.#size = size;
    this.#roots = roots.map((root) => Buffer.from(root));
  }

  /** The number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** The roots of the complete subtrees, the largest first. */
  get roots(): readonly Buffer[] {
    return this.#roots;
  }

  /** The root of the tree; without leaves, the hash of nothing. */
  get root(): Buffer {
    return (
      this.#roots.reduceRight<Buffer | undefined>(
        (right, left) => (right === undefined ? left : nodeHash(left, right)),
        undefined,
      ) ?? sha256(Buffer.alloc(0))
    );
  }

  /** Adds leaves behind the others; their hashes follow each other. */
  add(leaves: Uint8Array, hash: HashParts = hashParts): void {
    const roots: Buffer[] = [];
    let level: Buffer = Buffer.from(leaves);
    // Each level gets what the one below has made.
    for (let size = this.#size; level.length > 0; size = Math.floor(size / 2)) {
      if (size % 2 === 1) level = Buffer.concat([this.#roots.pop() as Buffer, level]);
      const ends = [0];
      for (let end = PAIR_BYTES; end <= level.length; end += PAIR_BYTES) ends.push(end);
      const paired = ends.at(-1) ?? 0;
      if (paired < level.length) roots.unshift(Buffer.from(level.subarray(paired)));
      level = hash(NODE, level, ends);
    }
    this.#roots.push(...roots);
    this.#size += leaves.length / HASH_BYTES;
  }

  /** Returns a tree that grows by itself. */
  copy(): Frontier {
    return new Frontier(this.#size, this.#roots);
  }
}

function subtrees(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
