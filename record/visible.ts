/** What a terminal obeys or an eye misses: controls, bidi, zero width, line ends and odd spaces. */
const INVISIBLE = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const ODD = /[^\x20-\x7e]/;
const PLAIN = /^[\w@%+=:,./\\^~[\]{}-]+$/;

/**
 * A string from the kernel so that a terminal shows it and obeys nothing in it. A backslash in a
 * record is doubled already, so these escapes cannot be mistaken for what was there.
 */
export function visible(text: string): string {
  return ODD.test(text) ? text.replaceAll(INVISIBLE, escapeOf) : text;
}

/** The same, in quotes if a shell would not take it as one word. */
export function word(text: string): string {
  return PLAIN.test(text) ? text : `'${visible(text).replaceAll("'", "'\\''")}'`;
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
