/**
 * Makes text safe to show. A record's strings come from the kernel and may have been chosen by an
 * attacker; everything that prints or displays one passes it through this file. It also runs in the
 * report's page, so it uses nothing of Node.
 */

/**
 * Characters that control a terminal, are invisible, or reverse text: controls and line ends,
 * format characters (right-to-left overrides among them), unassigned and private ones, odd spaces.
 */
const UNSAFE = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const PRINTABLE = /^[\x20-\x7e]*$/;
const ONE_WORD = /^[\w@%+=:,./\\^~[\]{}-]+$/;

/**
 * Replaces every unsafe character by an escape. The backslashes of a record's own strings are
 * doubled, so that an escape cannot be mistaken for recorded text.
 */
export function visible(text: string): string {
  return PRINTABLE.test(text) ? text : text.replaceAll(UNSAFE, escapeOf);
}

/** Makes a text visible, and quotes it unless a shell reads it as one word. */
export function word(text: string): string {
  return ONE_WORD.test(text) ? text : `'${visible(text).replaceAll("'", "'\\''")}'`;
}

/** Joins arguments to a visible line that a shell splits into the same arguments. */
export function commandLine(args: readonly string[]): string {
  return args.map(word).join(' ');
}

/** Replaces every unsafe character in JSON text by JSON's own escape; the value stays the same. */
export function visibleJson(json: string): string {
  return PRINTABLE.test(json) ? json : json.replaceAll(UNSAFE, jsonEscapeOf);
}

/**
 * Returns any value of a record as text: a string unchanged, anything else as JSON. It is not
 * visible yet.
 */
export function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  // JSON has no bigint, and an object's own toString() may throw.
  return typeof value === 'bigint' ? `${value}` : (JSON.stringify(value, plainNumbers) ?? '');
}

/** Cuts a text to `max` UTF-16 units and appends the mark; never splits a surrogate pair. */
export function shortened(text: string, max: number, mark = '…'): string {
  return text.length <= max ? text : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}${mark}`;
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

function jsonEscapeOf(character: string): string {
  // JSON's strings contain no unescaped tab or line end, so these only occur between its tokens.
  if (/[\t\r\n]/.test(character)) return ' ';
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
}

function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
