const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const LINE_ENDS = [
  ['\u0085', '\\u0085'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
] as const;

/** Returns a string as JSON text, with the line ends of Unicode escaped as well. */
export function json(text: string): string {
  return NEEDS_ESCAPE.test(text) ? escapeLineEnds(JSON.stringify(text)) : `"${text}"`;
}

/** Returns an array of strings as JSON text, escaped in the same way. */
export function jsonStrings(texts: readonly string[]): string {
  return escapeLineEnds(JSON.stringify(texts));
}

/** Escapes the line ends of Unicode in JSON text, because some readers break lines at them. */
export function escapeLineEnds(text: string): string {
  let escaped = text;
  // A search for one character is far faster than a pattern.
  for (const [character, sequence] of LINE_ENDS)
    if (escaped.includes(character)) escaped = escaped.replaceAll(character, sequence);
  return escaped;
}
