/**
 * Computes SHA-1 (RFC 3174) of a namespace and a short ASCII name, which fit into one block of 64
 * bytes, as a UUIDv5 (RFC 9562). Most records need two of them, which cost twice as much by
 * node:crypto.
 */

const NAME_BYTES_MAX = 39;
const HEX = Uint8Array.from({ length: 16 }, (_, digit) => digit.toString(16).charCodeAt(0));

/**
 * Makes a function from a name of at most 39 ASCII characters to its UUIDv5 in `namespace` (16
 * bytes).
 */
export function createUuidv5(namespace: Buffer): (name: string) => string {
  const prefix = [0, 4, 8, 12].map((at) => namespace.readInt32BE(at));
  const words = new Int32Array(80);
  const text = Buffer.alloc(36, '-');
  return (name) => {
    if (name.length > NAME_BYTES_MAX) throw new RangeError(`name too long: ${name}`);
    words.set(prefix);
    fill(words, name);
    digest(words);
    write(words, text);
    return text.toString('latin1', 0, 36);
  };
}

/** The name, SHA-1's padding and the length in bits, after the namespace. */
function fill(words: Int32Array, name: string): void {
  const { length } = name;
  let word = 0;
  for (let i = 0; i < length; i++) {
    word = (word << 8) | name.charCodeAt(i);
    if ((i & 3) === 3) words[4 + (i >> 2)] = word;
  }
  const last = 4 + (length >> 2);
  words[last] = ((word << 8) | 0x80) << (24 - 8 * (length & 3));
  words.fill(0, last + 1, 15);
  words[15] = (16 + length) * 8;
}

/**
 * Hashes one block; writes the first 16 bytes of the digest, with UUIDv5's version and variant, to
 * words[0..3].
 */
function digest(w: Int32Array): void {
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
    const x = (((a << 5) | (a >>> 27)) + mix(t, b, c, d) + e + at(w, t)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = x;
  }
  w[0] = a + 0x67452301;
  w[1] = ((b + (0xefcdab89 | 0)) & ~0xf000) | 0x5000;
  w[2] = ((c + (0x98badcfe | 0)) & 0x3fffffff) | 0x80000000;
  w[3] = d + 0x10325476;
}

function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return (d ^ (b & (c ^ d))) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

/** Writes 32 hexadecimal digits between the four dashes that stay. */
function write(words: Int32Array, text: Buffer): void {
  let to = 0;
  for (let nibble = 0; nibble < 32; nibble++) {
    if (to === 8 || to === 13 || to === 18 || to === 23) to += 1;
    text[to] = at(HEX, (at(words, nibble >> 3) >>> (28 - 4 * (nibble & 7))) & 15);
    to += 1;
  }
}

function at(array: Int32Array | Uint8Array, index: number): number {
  return array[index] as number;
}
