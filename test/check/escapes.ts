/** The record's own escapes of bytes: `\xHH` for a byte that is not UTF-8, `\\` for a backslash. */

const ESCAPE = /\\(?:\\|x([0-9a-f]{2}))/giy;

/** Returns the bytes of an escaped string; undefined if an escape is malformed. */
export function decodeEscapes(text: string): Buffer | undefined {
  const parts: Buffer[] = [];
  let position = 0;
  while (position < text.length) {
    const backslash = text.indexOf('\\', position);
    const end = backslash < 0 ? text.length : backslash;
    if (end > position) parts.push(Buffer.from(text.slice(position, end)));
    if (backslash < 0) break;
    ESCAPE.lastIndex = backslash;
    const match = ESCAPE.exec(text);
    if (match === null) return undefined;
    parts.push(match[1] === undefined ? Buffer.from('\\') : Buffer.from(match[1], 'hex'));
    position = backslash + match[0].length;
  }
  return Buffer.concat(parts);
}

/** Returns the only escaped form of these bytes. */
export function encodeEscapes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (bytes[at] === 0x5c) text += '\\\\';
    else if (length === 0) text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
    else text += Buffer.from(bytes.subarray(at, at + length)).toString();
    at += length || 1;
  }
  return text;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the number of bytes of the character at `at`; 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  try {
    UTF8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** Returns whether a string from the kernel is in its only escaped form. */
export function isWellEscaped(text: string): boolean {
  if (!text.includes('\\')) return true;
  const bytes = decodeEscapes(text);
  return bytes !== undefined && encodeEscapes(bytes) === text.replaceAll(/\\(\\|x..)/g, lowerHex);
}

function lowerHex(text: string): string {
  return text.toLowerCase();
}
