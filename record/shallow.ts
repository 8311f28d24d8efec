import { type Json, parseExact } from './exact-json.ts';
import { endOfString } from './one-reading.ts';

/** Deeper than what any reader needs, and far from the end of the stack. */
const DEPTH_MAX = 512;
const QUOTE = 0x22;
/** The codes of `[` and `{`, and of `]` and `}`, differ in this bit. */
const BRACE = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * Parses JSON exactly, and returns what `use` makes of it. If it is nested so deep that the stack ends, `use`
 * has null in the place of everything that is nested deeper than 512. Throws SyntaxError.
 */
export function parseShallow<Used>(text: string, use: (json: Json) => Used): Used {
  try {
    return use(parseExact(text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return use(parseExact(shallow(text)));
  }
}

function shallow(text: string): string {
  let kept = '';
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if ((code | BRACE) === OPENING) {
      if (depth === DEPTH_MAX) kept += `${text.slice(from, at)}null`;
      depth += 1;
    } else if ((code | BRACE) === CLOSING) {
      depth -= 1;
      if (depth === DEPTH_MAX) from = at + 1;
    }
  }
  return kept + text.slice(from);
}
