/**
 * What a terminal obeys, an eye misses, or text is turned around by: controls, format characters
 * (right-to-left overrides among them), unassigned and private ones, odd spaces.
 */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const PRINTABLE = /^[\x20-\x7e]*$/;
const ONE_WORD = /^[\w@%+=:,./\\^~[\]{}-]+$/;

/** A journal's text so that a terminal shows all of it and obeys none of it. */
export function visible(text: string): string {
  return PRINTABLE.test(text) ? text : text.replaceAll(UNSEEN, codeOf);
}

/** Arguments as a shell would take them. */
export function commandLine(args: readonly string[]): string {
  return args
    .map((arg) => (ONE_WORD.test(arg) ? arg : `'${visible(arg).replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** JSON text in which nothing is left that a terminal obeys or an eye misses; the same JSON. */
export function visibleJson(json: string): string {
  return PRINTABLE.test(json) ? json : json.replaceAll(UNSEEN, (found) => jsonEscapes(found));
}

function codeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Between the tokens of JSON there are spaces, tabs and line ends; in its strings, no controls. */
function jsonEscapes(character: string): string {
  if (/[\t\r\n]/.test(character)) return ' ';
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
}
