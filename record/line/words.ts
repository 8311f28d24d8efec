const WIDE = 8;
const NARROW = 4;

/**
 * Text in ASCII, of at least four bytes, that is compared by words of eight. Two of them that are
 * equal as numbers have the same bytes, because text is neither zero nor NaN.
 */
export class Words {
  readonly length: number;
  readonly #words: Float64Array;
  readonly #first: number;
  readonly #last: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.#words = new Float64Array(bytes.length >> 3);
    for (let word = 0; word < this.#words.length; word++)
      this.#words[word] = bytes.readDoubleLE(WIDE * word);
    const isShort = bytes.length < WIDE;
    this.#first = bytes.readInt32LE(0);
    this.#last = isShort
      ? bytes.readInt32LE(bytes.length - NARROW)
      : bytes.readDoubleLE(bytes.length - WIDE);
  }

  /** Returns the position behind this text, if it ends before `limit`; -1: another one is there. */
  after(view: DataView, at: number, limit = view.byteLength): number {
    const words = this.#words;
    const end = at + this.length;
    if (end > limit) return -1;
    if (words.length === 0) {
      const isHere = view.getInt32(at, true) === this.#first;
      return isHere && view.getInt32(end - NARROW, true) === this.#last ? end : -1;
    }
    for (let word = 0, from = at; word < words.length; word++, from += WIDE)
      if (view.getFloat64(from, true) !== words[word]) return -1;
    return view.getFloat64(end - WIDE, true) === this.#last ? end : -1;
  }
}
