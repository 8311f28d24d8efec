import { Frontier } from './frontier.ts';
import { nodeHash } from './hashes.ts';

/**
 * The leaves of an RFC 6962 tree from a certain one on. Of those before, the roots of the complete
 * subtrees are known: enough for every root and path that a tree of this size or more has.
 */
export class Leaves {
  /** How many leaves are before the first that is known. */
  readonly before: number;
  readonly #leaves: Buffer[] = [];
  /** by where they begin and end: `0-8` */
  readonly #known = new Map<string, Buffer>();

  /** Throws a RangeError if `before` leaves do not have these complete subtrees. */
  constructor(before = 0, roots: readonly Uint8Array[] = []) {
    this.before = before;
    let from = 0;
    for (const root of new Frontier(before, roots).roots) {
      const size = largestBelow(before - from + 1);
      this.#known.set(`${from}-${from + size}`, root);
      from += size;
    }
  }

  /** The number of leaves, with those that are not known. */
  get size(): number {
    return this.before + this.#leaves.length;
  }

  /** Adds a leaf behind the others. */
  add(leaf: Buffer): void {
    this.#leaves.push(leaf);
  }

  /** Returns the root of the first `size` leaves, as many as are not known or more. */
  root(size = this.size): Buffer {
    return this.#root(0, size);
  }

  /** Returns the path from a known leaf, from 0, to the root of the first `size` leaves (RFC 6962, 2.1.1). */
  path(index: number, size = this.size): Buffer[] {
    const path: Buffer[] = [];
    for (let [from, to] = [0, size]; to - from > 1; ) {
      const middle = from + largestBelow(to - from);
      if (index < middle) {
        path.unshift(this.#root(middle, to));
        to = middle;
      } else {
        path.unshift(this.#root(from, middle));
        from = middle;
      }
    }
    return path;
  }

  #root(from: number, to: number): Buffer {
    const known = this.#known.get(`${from}-${to}`);
    if (known !== undefined) return known;
    if (to - from === 1) {
      const leaf = this.#leaves[from - this.before];
      if (leaf === undefined) throw new RangeError(`leaf ${from} is not known`);
      return leaf;
    }
    if (to === from) return new Frontier().root;
    const middle = from + largestBelow(to - from);
    const root = nodeHash(this.#root(from, middle), this.#root(middle, to));
    // Complete subtrees are asked for again and again, and never change.
    if (Number.isInteger(Math.log2(to - from))) this.#known.set(`${from}-${to}`, root);
    return root;
  }
}

/** Returns the root of the tree in which this path begins at a leaf; undefined: no tree has such a path. */
export function rootOfPath(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (index < 0 || index >= size) return undefined;
  let node = leaf;
  let [at, last] = [index, size - 1];
  for (const other of path) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(other, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else node = nodeHash(node, other);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node : undefined;
}

/** Returns the largest power of two that is smaller than a number of at least 2. */
function largestBelow(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}
