import { isUtf8 } from 'node:buffer';

const NEEDS_CARE = /[\\\x80-\xff]/;
/** The pattern is faster than several calls of Node for texts up to this length. */
const SHORT_BYTES = 128;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;
const HEX = Buffer.from('0123456789abcdef');
/** `\xHH` */
const ESCAPE_BYTES = 4;
/** Enough for 32 KiB of arguments, the longest text of an event, when each byte is escaped. */
const SCRATCH_BYTES = 128 << 10;

/** Where texts with escapes are made: making each a Buffer of its own would cost more. */
let scratch = Buffer.alloc(0);

/**
 * Returns bytes of the kernel as a record's string: valid UTF-8 unchanged, other bytes as `\xHH`, a
 * backslash as `\\`. This is reversible, so that two names never become one. Anybody may choose the
 * bytes, so the time is linear in their number, and invalid ones cost a few nanoseconds each.
 */
export function textOf(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT_BYTES) return longText(bytes, start, end);
  const plain = bytes.toString('latin1', start, end);
  return NEEDS_CARE.test(plain) ? longText(bytes, start, end) : plain;
}

function longText(bytes: Buffer, start: number, end: number): string {
  if (!isUtf8(bytes.subarray(start, end))) return escaped(bytes, start, end);
  const text = bytes.toString('utf8', start, end);
  return text.includes('\\') ? escaped(bytes, start, end) : text;
}

function escaped(bytes: Buffer, start: number, end: number): string {
  const room = ESCAPE_BYTES * (end - start);
  if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.max(room, SCRATCH_BYTES));
  const out = scratch;
  let to = 0;
  for (let at = start; at < end; ) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      out[to++] = byte;
      if (byte === BACKSLASH) out[to++] = byte;
      at += 1;
      continue;
    }
    const next = at + sequenceLength(bytes, at, end);
    if (next === at) {
      out[to++] = BACKSLASH;
      out[to++] = LETTER_X;
      out[to++] = HEX[byte >> 4] as number;
      out[to++] = HEX[byte & 15] as number;
      at += 1;
    }
    while (at < next) out[to++] = bytes[at++] as number;
  }
  return out.toString('utf8', 0, to);
}

/**
 * Returns the length of the valid UTF-8 sequence of several bytes that begins here; 0: there is
 * none. The second byte decides whether it is overlong, a surrogate or beyond the last code point.
 */
function sequenceLength(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1] as number;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let n = 2; n < length; n++) if (((bytes[at + n] as number) & 0xc0) !== 0x80) return 0;
  return length;
}
