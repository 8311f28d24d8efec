export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const OBJECT = 0x7b;
export const OBJECT_END = 0x7d;
export const ARRAY = 0x5b;
export const ARRAY_END = 0x5d;
const EMPTY = Buffer.alloc(0);

/**
 * A JSON text in pieces. A method that reaches the end of a piece continues there when it is called
 * again after push().
 */
export class JsonInput {
  #piece: Buffer = EMPTY;
  #at = 0;
  /** Whether the piece before ended with a backslash in a string. */
  #isEscaped = false;
  /** the arrays and objects that are open in the value that is skipped */
  #depth = 0;
  #isInText = false;
  /** Whether the last call of text() or skipText() reached the closing quote. */
  isTextWhole = false;

  /** Replaces the piece, which must have been read to its end. */
  push(piece: Buffer): void {
    this.#piece = piece;
    this.#at = 0;
  }

  get hasMore(): boolean {
    return this.#at < this.#piece.length;
  }

  /** Returns the next byte that is no space, without taking it; undefined: it is not in the piece. */
  peek(): number | undefined {
    const piece = this.#piece;
    let at = this.#at;
    while (isSpace(piece[at])) at += 1;
    this.#at = at;
    return piece[at];
  }

  /** Takes the next byte, which must be this one. */
  take(byte: number): void {
    if (this.#piece[this.#at] !== byte) throw new SyntaxError('not JSON');
    this.#at += 1;
  }

  /** Takes what the piece has of a string, without its closing quote. */
  text(): Buffer {
    const from = this.#at;
    this.skipText();
    return this.#piece.subarray(from, this.isTextWhole ? this.#at - 1 : this.#at);
  }

  /** Skips what the piece has of a string; returns whether that is all. */
  skipText(): boolean {
    const piece = this.#piece;
    const { length } = piece;
    let at = this.#at;
    if (this.#isEscaped && at < length) {
      this.#isEscaped = false;
      at += 1;
    }
    for (; at < length; at++) {
      const byte = piece[at];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) at += 1;
    }
    if (at > length) this.#isEscaped = true;
    this.isTextWhole = at < length;
    this.#at = Math.min(at + 1, length);
    return this.isTextWhole;
  }

  /** Takes what the piece has of a number, true, false or null. */
  scalar(): Buffer {
    const from = this.#at;
    while (isScalar(this.#piece[this.#at])) this.#at += 1;
    return this.#piece.subarray(from, this.#at);
  }

  /** Skips what the piece has of an array or object; returns whether that is all. */
  skip(): boolean {
    if (this.#isInText) this.#isInText = !this.skipText();
    const piece = this.#piece;
    while (this.#at < piece.length) {
      const byte = piece[this.#at++];
      if (byte === QUOTE) {
        this.#isInText = !this.skipText();
      } else if (byte === OBJECT || byte === ARRAY) {
        this.#depth += 1;
      } else if (byte === OBJECT_END || byte === ARRAY_END) {
        this.#depth -= 1;
        if (this.#depth === 0) return true;
      }
    }
    return false;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A byte of a number, true, false or null. */
function isScalar(byte = 0): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isSmall = byte >= 0x61 && byte <= 0x7a;
  return isDigit || isSmall || byte === 0x2b || byte === 0x2d || byte === 0x2e || byte === 0x45;
}
