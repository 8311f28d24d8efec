import { Frontier } from '../../../record/tree/frontier.ts';
import { leafHash } from '../../../record/tree/hashes.ts';

/** A tree of leaves in base64, or one that is not known. It never changes. */
export class Tree {
  static readonly unknown = new Tree(undefined);
  static readonly empty = new Tree(new Frontier());
  readonly #frontier: Frontier | undefined;

  private constructor(frontier: Frontier | undefined) {
    this.#frontier = frontier;
  }

  /** Returns the tree of so many leaves; undefined: it cannot have these complete subtrees. */
  static of(size: number, roots: readonly string[]): Tree | undefined {
    try {
      return new Tree(new Frontier(size, roots.map(bytesOf)));
    } catch {
      return undefined;
    }
  }

  /** The root in base64; undefined: it is not known. */
  get root(): string | undefined {
    return this.#frontier?.root.toString('base64');
  }

  /** Returns the tree with one more leaf. */
  with(leaf: string): Tree {
    const frontier = this.#frontier?.copy();
    frontier?.add(bytesOf(leaf));
    return frontier === undefined ? Tree.unknown : new Tree(frontier);
  }

  /** Whether this is the tree of so many leaves with this root, as far as it is known. */
  mayBe(size: number, root: string): boolean {
    return this.#frontier === undefined || (this.#frontier.size === size && this.root === root);
  }

  /** Whether two trees are the same, as far as they are known. */
  isLike(other: Tree): boolean {
    const [own, others] = [this.#frontier, other.#frontier];
    if (own === undefined || others === undefined) return true;
    return own.size === others.size && own.root.equals(others.root);
  }
}

/** Returns the leaf of a block behind a line, all in base64. */
export function leafOf(previousLine: string, blockRoot: string): string {
  return leafHash(bytesOf(previousLine), bytesOf(blockRoot)).toString('base64');
}

/** Returns the bytes of base64. */
export function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
