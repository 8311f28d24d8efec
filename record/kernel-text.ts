import { isUtf8 } from 'node:buffer';

const NEEDS_CARE = /[^\x20-\x5b\x5d-\x7e]/;

/**
 * Returns bytes of the kernel as a record's string: valid UTF-8 unchanged, other bytes as `\xHH`, a
 * backslash as `\\`. This is reversible, so that two names never become one.
 */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const plain = bytes.toString('latin1', start, end);
  return NEEDS_CARE.test(plain) ? escapeBytes(bytes.subarray(start, end)) : plain;
}

function escapeBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString().replaceAll('\\', '\\\\');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    const sequence = bytes.subarray(at, at + length);
    if (length > 0 && isUtf8(sequence)) {
      text += bytes[at] === 0x5c ? '\\\\' : sequence.toString();
      at += length;
    } else {
      text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
      at += 1;
    }
  }
  return text;
}

/**
 * Returns the length of the UTF-8 sequence that begins here; 0: none begins, or it is truncated.
 */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  const length =
    first < 0x80
      ? 1
      : first < 0xc2
        ? 0
        : first < 0xe0
          ? 2
          : first < 0xf0
            ? 3
            : first < 0xf5
              ? 4
              : 0;
  return at + length <= bytes.length ? length : 0;
}
