import type { BootTime } from '../types.ts';

/**
 * Writes the parts of a line one after the other, without making strings of them. What does not fit is not
 * written, and `at` says how much room it takes.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.#bytes = bytes;
  }

  /** Begins to write at a place. */
  move(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  bytes(part: Uint8Array): void {
    const end = this.#at + part.length;
    if (end <= this.#bytes.length) this.#bytes.set(part, this.#at);
    this.#at = end;
  }

  /** Writes text that consists of ASCII characters. */
  ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** Writes an integer from 0 to 2^53 in decimal. */
  integer(value: number): void {
    if (value < 1e9) {
      this.#digits(value, width(value));
      return;
    }
    const high = Math.floor(value / 1e9);
    this.#digits(high, width(high));
    this.nineDigits(value - high * 1e9);
  }

  /** Writes a time as whole nanoseconds, in decimal. */
  nanoseconds({ seconds, nanos }: BootTime): void {
    if (seconds === 0) this.integer(nanos);
    else {
      this.integer(seconds);
      this.nineDigits(nanos);
    }
  }

  /** Writes an integer below 10^9 with leading zeros. */
  nineDigits(value: number): void {
    this.#digits(value, 9);
  }

  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value;
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      const tenth = Math.floor(rest / 10);
      bytes[at] = 0x30 + (rest - tenth * 10);
      rest = tenth;
    }
    this.#at += count;
  }
}

function width(value: number): number {
  let count = 1;
  for (let bound = 10; value >= bound; bound *= 10) count += 1;
  return count;
}
