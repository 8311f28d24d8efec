/** How many places there are for parts; a power of two. */
const SETS = 2048;
const WAYS = 4;
/** A longer part is rare, and would take much memory. */
const PART_MAX = 16 << 10;

interface Known<Facts> {
  readonly bytes: Buffer;
  /** undefined: it is not of the expected form */
  readonly facts: Facts | undefined;
}

/** Parts of lines that were parsed before, with what they say. */
export class KnownParts<Facts> {
  readonly #factsOf: (part: Buffer) => Facts | undefined;
  readonly #known: (Known<Facts> | undefined)[] = new Array(SETS * WAYS).fill(undefined);
  #oldest = 0;

  constructor(factsOf: (part: Buffer) => Facts | undefined) {
    this.#factsOf = factsOf;
  }

  /** Returns what the part of a line between two positions says. */
  find(bytes: Buffer, view: DataView, from: number, to: number): Facts | undefined {
    const length = to - from;
    if (length <= 0 || length > PART_MAX) return undefined;
    const set = placeOf(view, from, to);
    for (let way = set; way < set + WAYS; way++) {
      const known = this.#known[way];
      if (known === undefined) break;
      if (known.bytes.length === length && known.bytes.compare(bytes, from, to) === 0)
        return known.facts;
    }
    return this.#add(set, Buffer.from(bytes.subarray(from, to)));
  }

  #add(set: number, bytes: Buffer): Facts | undefined {
    const facts = this.#factsOf(bytes);
    let way = set;
    while (way < set + WAYS && this.#known[way] !== undefined) way++;
    if (way === set + WAYS) {
      this.#oldest = (this.#oldest + 1) % WAYS;
      way = set + this.#oldest;
    }
    this.#known[way] = { bytes, facts };
    return facts;
  }
}

/** Four of 32 bytes choose the place, and all of the last ones, which often differ alone. */
function placeOf(view: DataView, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to - 32; at += 32)
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1) ^ (hash >>> 15);
  for (let at = Math.max(from, to - 24); at < to - 4; at += 4)
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1) ^ (hash >>> 15);
  return ((hash ^ (hash >>> 15)) & (SETS - 1)) * WAYS;
}
