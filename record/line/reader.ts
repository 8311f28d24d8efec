const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const DELETE = 0x7f;

/**
 * Reads a line of the journal in its buffer, without making objects of it. Every method advances
 * `at`, and throws a SyntaxError if the line has something else there.
 */
export class LineReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #start = 0;
  #end = 0;
  #isPlain = false;

  /** The position of the next byte. */
  get at(): number {
    return this.#at;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The position where the content of the last string or number begins. */
  get start(): number {
    return this.#start;
  }

  /** The position where it ends. */
  get end(): number {
    return this.#end;
  }

  /** Whether it is printable ASCII without an escape, so that its bytes are its text. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** The text of the last string. */
  get text(): string {
    return this.#isPlain
      ? this.#bytes.toString('latin1', this.#start, this.#end)
      : JSON.parse(this.#bytes.toString('utf8', this.#start - 1, this.#end + 1));
  }

  /** Continues to read at a position. */
  move(bytes: Buffer, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The next byte; -1: there is none. */
  get next(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** Reads this byte if it is the next one; returns whether it was. */
  takes(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** Returns whether these bytes are next. */
  isAt(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < expected.length; index++)
      if (bytes[at + index] !== expected[index]) return false;
    return true;
  }

  /** Reads these bytes. */
  expect(expected: Uint8Array): void {
    if (!this.isAt(expected)) throw this.error();
    this.#at += expected.length;
  }

  /** Reads this byte. */
  expectByte(byte: number): void {
    if (!this.takes(byte)) throw this.error();
  }

  /** Reads a string and sets `start`, `end`, `isPlain` and `text`. */
  string(): void {
    this.expectByte(QUOTE);
    const bytes = this.#bytes;
    let at = this.#at;
    this.#start = at;
    this.#isPlain = true;
    for (; bytes[at] !== QUOTE; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= DELETE) this.#isPlain = false;
      else if (byte === BACKSLASH) {
        this.#isPlain = false;
        at += 1;
      } else if (byte < 0x20) throw this.error();
    }
    this.#end = at;
    this.#at = at + 1;
  }

  /** Reads digits and sets `start` and `end`. */
  digits(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    this.#start = at;
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[at] ?? 0) at++;
    if (at === this.#start) throw this.error();
    this.#end = at;
    this.#at = at;
  }

  /** Reads a whole number from 0 to 2^53 - 1. */
  count(): number {
    this.digits();
    const value = this.numberOf(this.#start, this.#end);
    if (!Number.isSafeInteger(value)) throw this.error();
    return value;
  }

  /** Returns the number that these digits write; they must be few enough to be exact. */
  numberOf(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) value = 10 * value + ((this.#bytes[at] ?? 0) - ZERO);
    return value;
  }

  /** Makes the error for text that no journal has at this place. */
  error(): SyntaxError {
    return new SyntaxError('not a line of the journal');
  }
}
