/**
 * Computes SHA-1 (RFC 3174) of a namespace and a short ASCII name, which fit into one block of 64
 * bytes, as a UUIDv5 (RFC 9562). Most records need two of them, which cost twice as much by
 * node:crypto.
 */

import type { Uuid } from './types.ts';

/** Where the name begins in the block, behind the namespace. */
export const NAME_AT = 16;
const NAME_BYTES_MAX = 39;
/** Where the block ends with the length of the message in bits. */
const LENGTH_AT = 60;

/** Makes UUIDv5s in one namespace. */
export interface Uuidv5 {
  /** Where the bytes of a name are written, from NAME_AT on: at most 39. */
  readonly block: Uint8Array;
  /** Returns the UUID of the name in the block that ends at this position. */
  of(end: number): Uuid;
}

/** Returns a UUID in lower case. */
export function uuidText({ a, b, c, d }: Uuid): string {
  return dashed([a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(''));
}

/** Returns 32 hexadecimal digits with the dashes of a UUID. */
export function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Makes UUIDv5s in `namespace` (16 bytes). */
export function createUuidv5(namespace: Buffer): Uuidv5 {
  const block = new Uint8Array(64);
  const view = new DataView(block.buffer);
  const words = new Int32Array(80);
  block.set(namespace);
  return {
    block,
    of(end) {
      if (end > NAME_AT + NAME_BYTES_MAX) throw new RangeError(`name too long: ${end - NAME_AT}`);
      block[end] = 0x80;
      for (let at = end + 1; at < LENGTH_AT; at++) block[at] = 0;
      view.setUint32(LENGTH_AT, 8 * end);
      for (let word = 0; word < 16; word++) words[word] = view.getInt32(4 * word);
      return digest(words);
    },
  };
}

/** Hashes one block; returns the first 16 bytes of the digest, with UUIDv5's version and variant. */
function digest(w: Int32Array): Uuid {
  for (let t = 16; t < 80; t++) {
    const x = at(w, t - 3) ^ at(w, t - 8) ^ at(w, t - 14) ^ at(w, t - 16);
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  for (let t = 0; t < 80; t++) {
    // Only `a` is from the round before, so that everything else is ready when it is added.
    const x = (((mix(t, b, c, d) + e + at(w, t)) | 0) + ((a << 5) | (a >>> 27))) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = x;
  }
  return {
    a: (a + 0x67452301) | 0,
    b: ((b + (0xefcdab89 | 0)) & ~0xf000) | 0x5000,
    c: ((c + (0x98badcfe | 0)) & 0x3fffffff) | 0x80000000,
    d: (d + 0x10325476) | 0,
  };
}

function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return (d ^ (b & (c ^ d))) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function at(array: Int32Array, index: number): number {
  return array[index] as number;
}
