/** Text of at least four bytes that is compared by words, which takes less than half the time. */
export class Words {
  readonly length: number;
  readonly #words: Int32Array;
  readonly #last: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.#words = new Int32Array(bytes.length >> 2);
    for (let word = 0; word < this.#words.length; word++)
      this.#words[word] = bytes.readInt32LE(4 * word);
    this.#last = bytes.readInt32LE(bytes.length - 4);
  }

  /** Returns the position behind this text; -1: another one is there. */
  after(view: DataView, at: number): number {
    const words = this.#words;
    const end = at + this.length;
    if (end > view.byteLength) return -1;
    for (let word = 0, from = at; word < words.length; word++, from += 4)
      if (view.getInt32(from, true) !== words[word]) return -1;
    return view.getInt32(end - 4, true) === this.#last ? end : -1;
  }
}
