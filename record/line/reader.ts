const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const DELETE = 0x7f;

/**
 * Reads a line of the journal where it lies, without making objects of it. Every method goes forward
 * from `at`, and throws a SyntaxError where something else stands than it is to read.
 */
export class LineReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #start = 0;
  #end = 0;
  #isPlain = false;

  /** Where the next byte is read. */
  get at(): number {
    return this.#at;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where the content of the string that was read last starts. */
  get start(): number {
    return this.#start;
  }

  /** Where it ends. */
  get end(): number {
    return this.#end;
  }

  /** It is printable ASCII without an escape: its bytes are its text. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** The text of the string that was read last. */
  get text(): string {
    return this.#isPlain
      ? this.#bytes.toString('latin1', this.#start, this.#end)
      : JSON.parse(this.#bytes.toString('utf8', this.#start - 1, this.#end + 1));
  }

  /** Goes on reading there. */
  move(bytes: Buffer, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The byte that is read next; -1: none. */
  get next(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** Reads this byte if it is next. */
  takes(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** These bytes are next. */
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

  /** Reads a string; `start`, `end`, `isPlain` and `text` are about it. */
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

  /** Reads digits; `start` and `end` are about them. */
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

  /** The number of so few digits that it is exact. */
  numberOf(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) value = 10 * value + ((this.#bytes[at] ?? 0) - ZERO);
    return value;
  }

  /** What to throw where something else stands than a journal has. */
  error(): SyntaxError {
    return new SyntaxError('not a line of the journal');
  }
}
