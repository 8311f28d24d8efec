const CLASSES = 64;

/** Finds keywords of either case in one pass over a text. */
export interface Finder<T> {
  /**
   * Continues from `from` in a state, at first 0, to where the next keywords end. Returns the state
   * there, with which the caller continues from `at`; -1: no more keywords.
   */
  find(text: string, from: number, state: number): number;
  /** the place behind the keywords that `find` found */
  readonly at: number;
  /** The values of the keywords that end in a state, the longest keyword first. */
  found(state: number): readonly T[];
}

/**
 * Builds an automaton after Aho and Corasick (1975), which makes one table look-up per character of
 * any text. Keywords are ASCII and have at most 63 different characters. A value belongs to each.
 */
export function createFinder<T>(keywords: readonly (readonly [string, T])[]): Finder<T> {
  const classes = classesOf(keywords.map(([keyword]) => keyword));
  const { next, found } = buildTrie(keywords, classes);
  linkFailures(next, found);
  // A state is the offset of its row in the table; keywords end in a negative one.
  for (let at = 0; at < next.length; at++) {
    const state = next[at] ?? 0;
    next[at] = (found[state]?.length ? -state : state) * CLASSES;
  }
  return new TableFinder(next, classes, found);
}

class TableFinder<T> implements Finder<T> {
  at = 0;
  readonly #table: Int32Array;
  readonly #classes: Uint8Array;
  readonly #found: readonly (readonly T[])[];

  constructor(table: Int32Array, classes: Uint8Array, found: readonly (readonly T[])[]) {
    this.#table = table;
    this.#classes = classes;
    this.#found = found;
  }

  find(text: string, from: number, state: number): number {
    const table = this.#table;
    const classes = this.#classes;
    let row = state;
    // Both tables have an entry for every index here, and `?? 0` would cost time.
    for (let at = from; at < text.length; at++) {
      row = table[row + (classes[text.charCodeAt(at)] as number)] as number;
      if (row >= 0) continue;
      this.at = at + 1;
      return -row;
    }
    return -1;
  }

  found(state: number): readonly T[] {
    return this.#found[state / CLASSES] ?? [];
  }
}

/**
 * Puts all characters that no keyword has into class 0, and both cases of a letter into one class.
 */
function classesOf(keywords: readonly string[]): Uint8Array {
  const classes = new Uint8Array(65_536);
  let count = 0;
  for (const character of keywords.join('').toLowerCase()) {
    const code = character.charCodeAt(0);
    if (classes[code] !== 0) continue;
    count += 1;
    if (code >= 128 || count >= CLASSES) throw new RangeError('too many characters in keywords');
    classes[code] = count;
    classes[character.toUpperCase().charCodeAt(0)] = count;
  }
  return classes;
}

interface Trie<T> {
  /** the next states, a row of classes for each state; 0: none */
  readonly next: Int32Array;
  readonly found: T[][];
}

function buildTrie<T>(keywords: readonly (readonly [string, T])[], classes: Uint8Array): Trie<T> {
  const most = 1 + keywords.reduce((sum, [keyword]) => sum + keyword.length, 0);
  const next = new Int32Array(most * CLASSES);
  const found: T[][] = [[]];
  for (const [keyword, value] of keywords) {
    let state = 0;
    for (let at = 0; at < keyword.length; at++) {
      const way = state * CLASSES + (classes[keyword.charCodeAt(at)] ?? 0);
      state = next[way] || found.push([]) - 1;
      next[way] = state;
    }
    found[state]?.push(value);
  }
  return { next: next.slice(0, found.length * CLASSES), found };
}

/**
 * Links each state, breadth first, to the state of its longest suffix, where the search continues.
 */
function linkFailures<T>(next: Int32Array, found: readonly T[][]): void {
  const failures = new Int32Array(found.length);
  const queue = [...next.subarray(0, CLASSES)].filter((state) => state !== 0);
  for (const state of queue) {
    const failure = failures[state] ?? 0;
    for (const value of found[failure] ?? []) found[state]?.push(value);
    for (let symbol = 0; symbol < CLASSES; symbol++) {
      const target = next[state * CLASSES + symbol] ?? 0;
      const fallback = next[failure * CLASSES + symbol] ?? 0;
      if (target === 0) next[state * CLASSES + symbol] = fallback;
      else {
        failures[target] = fallback;
        queue.push(target);
      }
    }
  }
}
