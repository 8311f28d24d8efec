export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const BACKSLASH = 0x5c;
export const OBJECT = 0x7b;
export const OBJECT_END = 0x7d;
export const ARRAY = 0x5b;
export const ARRAY_END = 0x5d;
/** Longer than any number in an object of Kubernetes. */
export const SCALAR_MAX = 64;
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

  /**
   * Takes the comma after a part of an array or object, unless `end` follows; returns the byte that
   * comes next. Undefined: it is not in the piece, and nothing is taken.
   */
  nextPart(end: number): number | undefined {
    const from = this.#at;
    let byte = this.peek();
    if (byte === end) return byte;
    if (byte !== undefined) {
      this.take(COMMA);
      byte = this.peek();
      if (byte === end) throw new SyntaxError('a comma at the end');
    }
    if (byte === undefined) this.#at = from;
    return byte;
  }

  /**
   * Takes a string of plain ASCII with its quotes. Undefined: it is another string, or longer, or
   * does not end in the piece, and nothing is taken.
   */
  plainText(maxBytes: number): string | undefined {
    const piece = this.#piece;
    const from = this.#at + 1;
    const end = Math.min(piece.length, from + maxBytes + 1);
    for (let at = from; at < end; at++) {
      const byte = piece[at] ?? BACKSLASH;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return piece.toString('latin1', from, at);
      }
      if (byte === BACKSLASH || byte > 0x7f) return undefined;
    }
    return undefined;
  }

  /**
   * Skips a value without parts whose end is in the piece. False: it is another value, and nothing
   * is taken.
   */
  skipPlain(): boolean {
    const from = this.#at;
    if (this.#piece[from] === QUOTE) {
      this.#at += 1;
      if (this.skipText()) return true;
      this.#isEscaped = false;
    } else {
      const { length } = this.scalar();
      if (length > 0 && length <= SCALAR_MAX && this.hasMore) return true;
    }
    this.#at = from;
    return false;
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
    const piece = this.#piece;
    const { length } = piece;
    let depth = this.#depth;
    if (this.#isInText) this.#isInText = !this.skipText();
    let at = this.#at;
    while (at < length) {
      const byte = piece[at++];
      if (byte === QUOTE) {
        while (at < length && piece[at] !== QUOTE) at += piece[at] === BACKSLASH ? 2 : 1;
        this.#isInText = at >= length;
        this.#isEscaped = at > length;
        at += 1;
      } else if (byte === OBJECT || byte === ARRAY) {
        depth += 1;
      } else if (byte === OBJECT_END || byte === ARRAY_END) {
        depth -= 1;
        if (depth === 0) break;
      }
    }
    this.#depth = depth;
    this.#at = Math.min(at, length);
    return depth === 0;
  }

  /** Makes skip() skip the rest of an array that was begun. */
  leaveArray(): void {
    this.#depth = 1;
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
