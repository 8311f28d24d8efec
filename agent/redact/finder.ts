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
  const ways = next.flat().map((state) => (found[state]?.length ? -state : state) * CLASSES);
  return new TableFinder(Int32Array.from(ways), classes, found);
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
  /** the next state, by state and class; 0: none */
  readonly next: number[][];
  readonly found: T[][];
}

function buildTrie<T>(keywords: readonly (readonly [string, T])[], classes: Uint8Array): Trie<T> {
  const next = [new Array<number>(CLASSES).fill(0)];
  const found: T[][] = [[]];
  for (const [keyword, value] of keywords) {
    let state = 0;
    for (let at = 0; at < keyword.length; at++) {
      const row = next[state] ?? [];
      const symbol = classes[keyword.charCodeAt(at)] ?? 0;
      state = row[symbol] || next.push(new Array<number>(CLASSES).fill(0)) - 1;
      row[symbol] = state;
      if (found.length < next.length) found.push([]);
    }
    found[state]?.push(value);
  }
  return { next, found };
}

/**
 * Links each state, breadth first, to the state of its longest suffix, where the search continues.
 */
function linkFailures<T>(next: number[][], found: T[][]): void {
  const failures = new Array<number>(next.length).fill(0);
  const queue = (next[0] ?? []).filter((state) => state !== 0);
  for (const state of queue) {
    const failure = failures[state] ?? 0;
    found[state]?.push(...(found[failure] ?? []));
    next[state]?.forEach((target, symbol, row) => {
      const fallback = next[failure]?.[symbol] ?? 0;
      if (target === 0) row[symbol] = fallback;
      else {
        failures[target] = fallback;
        queue.push(target);
      }
    });
  }
}
