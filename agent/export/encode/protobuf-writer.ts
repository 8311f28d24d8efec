/** JavaScript writes strings up to this length faster than a native call does. */
const SHORT = 48;
const FIRST_BYTES = 4096;
/**
 * The buffer is kept and used again: growing in small steps costs time once, excess memory costs it
 * for good.
 */
const GROWTH = 1.25;
/** The bytes of a varint that has room for any length up to 256 MiB. */
const LENGTH_BYTES = 4;
/** The most bytes of a tag and a varint. */
export const HEAD_MAX = 9;

/** Writes protobuf, one field after the other, into a buffer that grows as needed. */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** The number of bytes written. */
  get length(): number {
    return this.#at;
  }

  /** The bytes that were written, or some of them; valid until the next write. */
  written(from = 0, to = this.#at): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** Discards what was written after the first `length` bytes; the memory is used again. */
  clear(length = 0): void {
    this.#at = length;
  }

  /** Begins a message whose length is not known yet; returns the argument for end(). */
  begin(tag: number): number {
    this.room(1 + LENGTH_BYTES)[this.#at] = tag;
    this.#at += 1 + LENGTH_BYTES;
    return this.#at;
  }

  /** Ends the message that begin() began and writes its length. */
  end(start: number): void {
    const length = this.#at - start;
    const bytes = this.#bytes;
    bytes[start - 4] = (length & 0x7f) | 0x80;
    bytes[start - 3] = ((length >>> 7) & 0x7f) | 0x80;
    bytes[start - 2] = ((length >>> 14) & 0x7f) | 0x80;
    bytes[start - 1] = length >>> 21;
  }

  /**
   * Returns the buffer, with room for so many bytes from `length` on. Whoever writes them says so with
   * wrote().
   */
  room(bytes: number): Buffer {
    if (this.#at + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(GROWTH * this.#bytes.length) + bytes);
      larger.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  /** Everything up to a position is written now. */
  wrote(to: number): void {
    this.#at = to;
  }

  /**
   * Writes a tag and a varint: a whole number from 0 to 2^53, or the length of what is written
   * next.
   */
  varint(tag: number, value: number): void {
    const bytes = this.room(HEAD_MAX);
    bytes[this.#at] = tag;
    this.#at = putVarint(bytes, this.#at + 1, value);
  }

  /** Writes a part of a message that is encoded already. */
  raw(encoded: Uint8Array): void {
    const { length } = encoded;
    const bytes = this.room(length);
    const at = this.#at;
    if (length > SHORT) bytes.set(encoded, at);
    else for (let index = 0; index < length; index++) bytes[at + index] = encoded[index] ?? 0;
    this.#at = at + length;
  }

  /** Writes bytes without a tag. */
  bytes(from: Buffer, start: number, end: number): void {
    this.#at = putBytes(this.room(end - start), this.#at, from, start, end);
  }

  /** Writes a string field whose UTF-8 is in a buffer. */
  copy(tag: number, from: Buffer, start: number, end: number): void {
    this.room(HEAD_MAX + end - start);
    this.varint(tag, end - start);
    this.bytes(from, start, end);
  }

  /** Writes a string field; `length` is its utf8Length. */
  string(tag: number, text: string, length = utf8Length(text)): void {
    const bytes = this.room(HEAD_MAX + length);
    this.varint(tag, length);
    const at = this.#at;
    if (length !== text.length) bytes.write(text, at);
    else if (length > SHORT) bytes.write(text, at, 'latin1');
    else for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
    this.#at = at + length;
  }

  /** Writes a bytes field from hex digits. */
  hex(tag: number, digits: string): void {
    const length = digits.length / 2;
    const bytes = this.room(HEAD_MAX + length);
    this.varint(tag, length);
    this.#at += bytes.write(digits, this.#at, 'hex');
  }

  /** Writes a fixed32 field. */
  fixed32(tag: number, value: number): void {
    const bytes = this.room(5);
    bytes[this.#at] = tag;
    this.#at = bytes.writeUInt32LE(value, this.#at + 1);
  }

  /** Writes a time as nanoseconds since 1970, as an exact fixed64. */
  nanoseconds(tag: number, seconds: number, nanos: number): void {
    const bytes = this.room(9);
    // seconds * 1e9 + nanos, computed in two halves that are exact as doubles.
    const upper = Math.floor(seconds / 0x10000) * 1e9;
    const lower = (seconds % 0x10000) * 1e9 + nanos;
    const low = (upper % 0x10000) * 0x10000 + (lower % 2 ** 32);
    const carry = Math.floor(lower / 2 ** 32) + Math.floor(low / 2 ** 32);
    bytes[this.#at] = tag;
    bytes.writeUInt32LE(low % 2 ** 32, this.#at + 1);
    bytes.writeUInt32LE(Math.floor(upper / 0x10000) + carry, this.#at + 5);
    this.#at += 9;
  }
}

/** Writes a varint at a position, and returns the position behind it. */
export function putVarint(bytes: Buffer, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) bytes[to++] = (rest % 0x80) | 0x80;
  for (; rest > 0x7f; rest >>>= 7) bytes[to++] = (rest & 0x7f) | 0x80;
  bytes[to] = rest;
  return to + 1;
}

/** Copies bytes to a position, and returns the position behind them. */
export function putBytes(
  bytes: Buffer,
  at: number,
  from: Buffer,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length > SHORT) from.copy(bytes, at, start, end);
  else for (let index = 0; index < length; index++) bytes[at + index] = from[start + index] ?? 0;
  return at + length;
}

/** The number of bytes of a string in UTF-8. */
export function utf8Length(text: string): number {
  const { length } = text;
  if (length > SHORT) return Buffer.byteLength(text);
  for (let index = 0; index < length; index++)
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** The number of bytes of a whole number as a varint. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
