import type { ExecLineReader } from './exec-line-reader.ts';

/** What is behind the namespace must leave room for SHA-1's padding in one block of 64 bytes. */
const NAME_BYTES_MAX = 39;
const COLON = 0x3a;
const block = new Uint8Array(NAME_BYTES_MAX + 1);
const view = new DataView(block.buffer);
const words = new Int32Array(80);

/**
 * Returns whether a line's id is the UUIDv5 (RFC 9562) of `<boot time>:<pid>` in the namespace of its
 * boot. It is computed without record/uuid.ts, on purpose: see line-rules.ts.
 */
export function isIdOfExec(line: ExecLineReader, bytes: Buffer): boolean {
  const { id, boot, bootTimeAt, bootTimeEnd, pidAt, pidEnd } = line;
  const length = bootTimeEnd - bootTimeAt + 1 + pidEnd - pidAt;
  if (length > NAME_BYTES_MAX) return false;
  let to = 0;
  for (let at = bootTimeAt; at < bootTimeEnd; at++) block[to++] = bytes[at] as number;
  block[to++] = COLON;
  for (let at = pidAt; at < pidEnd; at++) block[to++] = bytes[at] as number;
  block[to++] = 0x80;
  while (to < block.length) block[to++] = 0;
  words.set(boot);
  for (let word = 4; word < 14; word++) words[word] = view.getInt32(4 * word - 16);
  words[14] = 0;
  words[15] = 8 * (16 + length);
  sha1(words);
  return (
    words[0] === id[0] &&
    (((words[1] as number) & ~0xf000) | 0x5000) === id[1] &&
    (((words[2] as number) & 0x3fffffff) | 0x80000000) === id[2] &&
    words[3] === id[3]
  );
}

/** Hashes one block (FIPS 180-4); the digest is in w[0] to w[4] then. */
function sha1(w: Int32Array): void {
  for (let t = 16; t < 80; t++) {
    const x =
      (w[t - 3] as number) ^ (w[t - 8] as number) ^ (w[t - 14] as number) ^ (w[t - 16] as number);
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  for (let t = 0; t < 80; t++) {
    let f: number;
    if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + f + e + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  w[0] = (a + 0x67452301) | 0;
  w[1] = (b + 0xefcdab89) | 0;
  w[2] = (c + 0x98badcfe) | 0;
  w[3] = (d + 0x10325476) | 0;
}
