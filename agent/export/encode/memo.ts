/** The number of entries: a power of two. */
const SLOTS = 512;
/** Longer texts are not kept, because they would fill the memory. */
const BYTES_MAX = 4096;
const SAMPLES = 32;

interface Kept {
  readonly json: Uint8Array;
  readonly encoded: Uint8Array;
}

/**
 * Remembers the encoding of JSON that was seen before, because a node mostly repeats what it
 * executes. It keeps an encoding the second time, so that JSON that occurs once costs little.
 */
export class Memo {
  readonly #kept: (Kept | undefined)[] = new Array(SLOTS).fill(undefined);
  /** Hashes of JSON that was seen once and not kept. */
  readonly #seen = new Int32Array(SLOTS);
  #slot = 0;

  /** Returns the encoding of these bytes; undefined: it is not known. */
  find(bytes: Buffer, from: number, to: number): Uint8Array | undefined {
    this.#slot = hashOf(bytes, from, to, SAMPLES) & (SLOTS - 1);
    const kept = this.#kept[this.#slot];
    if (kept === undefined || kept.json.length !== to - from) return undefined;
    return bytes.compare(kept.json, 0, kept.json.length, from, to) === 0 ? kept.encoded : undefined;
  }

  /** Adds the encoding of the bytes that the last find() did not find. */
  add(bytes: Buffer, from: number, to: number, encoded: Uint8Array): void {
    const length = to - from;
    if (length > BYTES_MAX) return;
    const slot = this.#slot;
    const hash = hashOf(bytes, from, to, length);
    if (this.#seen[slot] === hash)
      this.#kept[slot] = {
        // Not a Buffer: a small Buffer keeps the whole pool alive that Node allocated it from.
        json: new Uint8Array(bytes.subarray(from, to)),
        encoded: Uint8Array.from(encoded),
      };
    this.#seen[slot] = hash;
  }
}

/** Every second of these bytes of a text chooses its slot; in the core of a line, the program is there. */
const PREFIX_FROM = 16;
const PREFIX_TO = 128;
const PREFIX_STEP = 2;

/** A text, and what was made of it. */
interface Prefix<Made> {
  readonly text: Uint8Array;
  readonly made: Made;
}

/**
 * Remembers what was made of a text whose end is not known before it is read. Whoever adds one must be
 * sure that it ends at the same place whatever follows it.
 */
export class Prefixes<Made> {
  readonly #kept: (Prefix<Made> | undefined)[] = new Array(SLOTS).fill(undefined);
  /** Hashes of texts that were seen once and not kept. */
  readonly #seen = new Int32Array(SLOTS);
  #hash = 0;

  /** Returns the text with which these bytes begin; undefined: none is known. */
  find(bytes: Buffer, from: number): Prefix<Made> | undefined {
    let hash = 0;
    for (let at = from + PREFIX_FROM; at < from + PREFIX_TO; at += PREFIX_STEP)
      hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    this.#hash = hash;
    const kept = this.#kept[hash & (SLOTS - 1)];
    if (kept === undefined) return undefined;
    const { text } = kept;
    const end = from + text.length;
    if (end > bytes.length) return undefined;
    return bytes.compare(text, 0, text.length, from, end) === 0 ? kept : undefined;
  }

  /** Adds the text that the last find() did not find, once it comes again. */
  add(bytes: Buffer, from: number, to: number, make: () => Made): void {
    if (to - from > BYTES_MAX) return;
    const slot = this.#hash & (SLOTS - 1);
    if (this.#seen[slot] === this.#hash)
      this.#kept[slot] = { text: new Uint8Array(bytes.subarray(from, to)), made: make() };
    this.#seen[slot] = this.#hash;
  }
}

/** A hash of the length and of this many of the bytes, including the last one. */
function hashOf(bytes: Buffer, from: number, to: number, samples: number): number {
  let hash = to - from;
  const step = Math.max(1, Math.floor((to - from) / samples));
  for (let at = to - 1; at >= from; at -= step)
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}
