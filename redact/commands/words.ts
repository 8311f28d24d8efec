import type { Reading, Span } from '../reading.ts';
import { enclosingQuote, endOfWord } from '../values.ts';

/** The words of a command within a text. */
export interface Words {
  /** where they stand, without the quotes around them */
  readonly places: readonly Span[];
  /** where the command ends */
  readonly end: number;
}

const STOPS = ';&|<>()';
const BLANKS = /(?:[ \t]|\\\\\n)*/y;
const REDIRECTION = /\d?(?:<<<|[<>]{1,2}&?(?:\d|-(?=\s))?)/y;

/**
 * Finds the words of a command up to its end, as a shell does it: at `;`, `&`, `|`, the end of a
 * line, or the end of the quotes in which the whole command stands. A here-string is a word, `<<<`,
 * before its text; other redirections are left out.
 */
export function wordsOf(reading: Reading, from: number, max: number): Words {
  const { text } = reading;
  const start = text[from] === text[wordStart(text, from) - 1] ? from + 1 : from;
  const enclosing = enclosingQuote(reading, start);
  const places: Span[] = [];
  let redirected = false;
  for (let at = start; ; ) {
    at = endOf(BLANKS, text, at);
    const sign = endOf(REDIRECTION, text, at);
    if (sign > at) {
      if (text.startsWith('<<<', at)) places.push({ from: at, to: sign });
      else redirected = !/\d$/.test(text.slice(at, sign));
      at = sign;
      continue;
    }
    const end = endOfWord(text, at, STOPS, enclosing);
    if (end === at || places.length === max) return { places, end };
    if (!redirected) places.push(unquoted(text, at, end));
    redirected = false;
    at = end;
  }
}

/** Where the word before a place begins, which is a command's name and may stand in quotes. */
function wordStart(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start < 256 && !/[\s"'`]/.test(text[start - 1] ?? '')) start -= 1;
  return start;
}

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

function unquoted(text: string, from: number, to: number): Span {
  const quote = text[from];
  const quoted = (quote === '"' || quote === "'") && to - from > 1 && text[to - 1] === quote;
  return quoted ? { from: from + 1, to: to - 1 } : { from, to };
}
