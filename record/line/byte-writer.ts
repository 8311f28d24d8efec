import type { BootTime, Uuid } from '../types.ts';

/** JavaScript copies parts up to this length faster than a native call does. */
const SHORT = 32;
/** The digits of all numbers below 1,000, three each: one division then serves three digits. */
const TRIPLES = Uint8Array.from(
  Array.from({ length: 1000 }, (_, number) => `${number}`.padStart(3, '0')).join(''),
  (digit) => digit.charCodeAt(0),
);

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const DASH = 0x2d;

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
    const bytes = this.#bytes;
    const at = this.#at;
    const end = at + part.length;
    if (part.length <= SHORT)
      for (let index = 0; index < part.length; index++) bytes[at + index] = part[index] as number;
    else if (end <= bytes.length) bytes.set(part, at);
    this.#at = end;
  }

  /** Writes an integer from 0 to 2^53 in decimal. */
  integer(value: number): void {
    if (value < 10) this.#digits(value, 1);
    else if (value < 100) this.#digits(value, 2);
    else if (value < 1000) this.#digits(value, 3);
    else if (value < 1e9) {
      const high = wholeOf(value, 1000);
      this.integer(high);
      this.#digits(value - high * 1000, 3);
    } else {
      const high = Math.floor(value / 1e9);
      this.integer(high);
      this.nineDigits(value - high * 1e9);
    }
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
    const high = wholeOf(value, 1e6);
    const rest = value - high * 1e6;
    const middle = wholeOf(rest, 1000);
    this.#digits(high, 3);
    this.#digits(middle, 3);
    this.#digits(rest - middle * 1000, 3);
  }

  /** Writes a UUID in lower case. */
  uuid({ a, b, c, d }: Uuid): void {
    this.#hex(a >>> 16);
    this.#hex(a);
    this.#dash();
    this.#hex(b >>> 16);
    this.#dash();
    this.#hex(b);
    this.#dash();
    this.#hex(c >>> 16);
    this.#dash();
    this.#hex(c);
    this.#hex(d >>> 16);
    this.#hex(d);
  }

  /** Writes the lower 16 bits in hexadecimal. */
  #hex(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = HEX[(value >>> 12) & 15] as number;
    bytes[at + 1] = HEX[(value >>> 8) & 15] as number;
    bytes[at + 2] = HEX[(value >>> 4) & 15] as number;
    bytes[at + 3] = HEX[value & 15] as number;
    this.#at = at + 4;
  }

  #dash(): void {
    this.#bytes[this.#at++] = DASH;
  }

  /** Writes the last one to three digits of an integer below 1,000. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    const end = 3 * value + 3;
    let at = this.#at;
    for (let from = end - count; from < end; from++) bytes[at++] = TRIPLES[from] as number;
    this.#at = at;
  }
}

/** Divides integers below 2^32; V8 makes a multiplication of it, where Math.floor() needs a division. */
function wholeOf(value: number, divisor: number): number {
  return ((value >>> 0) / divisor) >>> 0;
}
