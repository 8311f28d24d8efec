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

  /**
   * Returns what makes the root of the first `size` leaves together with those from `from` up to `to`: the
   * roots of the largest subtrees that have none of them, from left to right.
   */
  outside(from: number, to: number, size = this.size): Buffer[] {
    const roots: Buffer[] = [];
    const visit = (begin: number, end: number): void => {
      if (end <= from || begin >= to) roots.push(this.#root(begin, end));
      else if (begin < from || end > to) {
        const middle = begin + largestBelow(end - begin);
        visit(begin, middle);
        visit(middle, end);
      }
    };
    visit(0, size);
    return roots;
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

/**
 * Returns the root of a tree of `size` leaves from some that are next to each other, the first of them
 * the leaf `from`, and what outside() says; undefined: no tree has these.
 */
export function rootOfRange(
  leaves: readonly Buffer[],
  from: number,
  size: number,
  outside: readonly Buffer[],
): Buffer | undefined {
  const to = from + leaves.length;
  if (leaves.length === 0 || from < 0 || to > size) return undefined;
  let used = 0;
  const rootOf = (begin: number, end: number): Buffer | undefined => {
    if (end <= from || begin >= to) {
      used += 1;
      return outside[used - 1];
    }
    if (end - begin === 1) return leaves[begin - from];
    const middle = begin + largestBelow(end - begin);
    const left = rootOf(begin, middle);
    const right = left && rootOf(middle, end);
    return left && right && nodeHash(left, right);
  };
  const root = rootOf(0, size);
  return used === outside.length ? root : undefined;
}

/** Returns the largest power of two that is smaller than a number of at least 2. */
function largestBelow(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}
