/** Strings up to this length are faster written by JavaScript than by a call out of it. */
const SHORT = 48;
const FIRST_BYTES = 4096;
/** The memory stays: growing often happens once, and what is too much would be too much for good. */
const GROWTH = 1.25;
/** Any length up to 256 MiB, as a varint that may be longer than it need be. */
const LENGTH_BYTES = 4;

/** Writes protobuf, one field after the other, into a buffer that grows. */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /** What was written, or a part of it; valid until more is. */
  written(from = 0, to = this.#at): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** Forgets what was written behind `length`; the memory stays. */
  clear(length = 0): void {
    this.#at = length;
  }

  /** Begins a message whose length is not known yet; end() wants what this returns. */
  begin(tag: number): number {
    this.#reserve(1 + LENGTH_BYTES);
    this.#bytes[this.#at] = tag;
    this.#at += 1 + LENGTH_BYTES;
    return this.#at;
  }

  /** Ends the message that begin() began. */
  end(start: number): void {
    const length = this.#at - start;
    const bytes = this.#bytes;
    bytes[start - 4] = (length & 0x7f) | 0x80;
    bytes[start - 3] = ((length >>> 7) & 0x7f) | 0x80;
    bytes[start - 2] = ((length >>> 14) & 0x7f) | 0x80;
    bytes[start - 1] = length >>> 21;
  }

  /** A tag and a varint: a whole number from 0 to 2^53, or the length of what is written next. */
  varint(tag: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#at++] = tag;
    this.#varint(value);
  }

  /** What is encoded already. */
  raw(encoded: Uint8Array): void {
    this.#reserve(encoded.length);
    const bytes = this.#bytes;
    const at = this.#at;
    if (encoded.length > SHORT) bytes.set(encoded, at);
    else
      for (let index = 0; index < encoded.length; index++) bytes[at + index] = encoded[index] ?? 0;
    this.#at = at + encoded.length;
  }

  /** Bytes as they are. */
  bytes(from: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    from.copy(this.#bytes, this.#at, start, end);
    this.#at += end - start;
  }

  /** A string field of bytes that are UTF-8. */
  copy(tag: number, from: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length + 9);
    this.#bytes[this.#at++] = tag;
    this.#varint(length);
    const bytes = this.#bytes;
    let at = this.#at;
    if (length > SHORT) from.copy(bytes, at, start, end);
    else for (let index = start; index < end; index++) bytes[at++] = from[index] ?? 0;
    this.#at += length;
  }

  /** A string field; `length` is its utf8Length. */
  string(tag: number, text: string, length = utf8Length(text)): void {
    this.#reserve(length + 9);
    this.#bytes[this.#at++] = tag;
    this.#varint(length);
    const bytes = this.#bytes;
    let at = this.#at;
    if (length !== text.length) bytes.write(text, at);
    else if (length > SHORT) bytes.write(text, at, 'latin1');
    else for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index);
    this.#at += length;
  }

  /** A moment as nanoseconds since 1970, fixed64, exact. */
  nanoseconds(tag: number, seconds: number, nanos: number): void {
    this.#reserve(9);
    // seconds * 1e9 + nanos from two halves, each of them exact in a double.
    const upper = Math.floor(seconds / 0x10000) * 1e9;
    const lower = (seconds % 0x10000) * 1e9 + nanos;
    const low = (upper % 0x10000) * 0x10000 + (lower % 2 ** 32);
    const carry = Math.floor(lower / 2 ** 32) + Math.floor(low / 2 ** 32);
    this.#bytes[this.#at] = tag;
    this.#bytes.writeUInt32LE(low % 2 ** 32, this.#at + 1);
    this.#bytes.writeUInt32LE(Math.floor(upper / 0x10000) + carry, this.#at + 5);
    this.#at += 9;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80))
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.ceil(GROWTH * this.#bytes.length) + bytes);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** The bytes of a string in UTF-8. */
export function utf8Length(text: string): number {
  const { length } = text;
  if (length > SHORT) return Buffer.byteLength(text);
  for (let index = 0; index < length; index++)
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** The bytes of a whole number as a varint. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
