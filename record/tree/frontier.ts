import { nodeHash, sha256 } from './hashes.ts';

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

  /** Adds a leaf behind the others. */
  add(leaf: Uint8Array): void {
    let node: Buffer = Buffer.from(leaf);
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2)
      node = nodeHash(this.#roots.pop() as Buffer, node);
    this.#roots.push(node);
    this.#size += 1;
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
