import type { Part, Reading, Span } from './reading.ts';

/** The text that replaces a secret. */
export const REDACTED = '[redacted]';

const SPACE = /\s/;
const QUOTE = /["'`]/;
const REST = /[^\n]*/y;
const REST_IN_QUOTES = /[^\n"'`]*/y;
/** characters that never end a word */
const PLAIN = /[\w.+/:@%~^=$#!?*-]+/y;
const OPTION = /^--?(?:[A-Za-z][a-z-]*)?(?:=|$)/;
const MODEST = new Set(
  '- * true false yes no none null nil undefined on off basic digest'.split(' ').concat(''),
);
/**
 * What stands for a value: a variable or parameter, a field of `jq`, a place in a format; also the
 * `$` of a `$(…)`, which begins another command.
 */
const REFERENCE =
  /^(?:\$(?:[A-Z_][A-Z0-9_]*|[\d@*]|\{\w+\}|\(\w+\))?|\.[a-z_][\w.]*|%-?\d*[sdqv](?:\\\\n)?)$/;
const ELSEWHERE = /^(?:file|env|fd):/;
/** a path; secrets in base64 may begin with `/`, too */
const PATH =
  /^(?:~|\.{1,2}|\/(?:app|certs?|config|data|dev|etc|home|keys?|mnt|opt|proc|root|run|secrets?|srv|sys|tmp|usr|var|vault))\/[^\s;]*$/;
const MODEST_LENGTH = 256;

/**
 * Returns the span, unless its text is no secret: empty, a flag, a small number, a path or a
 * variable's name.
 */
export function unlessModest(text: string, from: number, to: number): Span | undefined {
  if (to - from > MODEST_LENGTH) return { from, to };
  const value = text.slice(from, to);
  const modest =
    MODEST.has(value.toLowerCase()) ||
    /^\d{1,2}$/.test(value) ||
    value.startsWith(REDACTED) ||
    REFERENCE.test(value) ||
    ELSEWHERE.test(value) ||
    PATH.test(value);
  return modest ? undefined : { from, to };
}

/** A value that is secret as a whole. */
export const WHOLE: Part = { prefix: '', before: '', after: '' };

/** Returns the secret part of a value, without quotes around it; undefined: it has none. */
export function partOf(text: string, from: number, to: number, part: Part): Span | undefined {
  const { prefix, before, after } = part;
  if (!text.startsWith(prefix, from)) return undefined;
  let start = from + prefix.length;
  let end = to;
  if (before !== '') {
    const at = text.indexOf(before, start);
    const other = after === '' ? -1 : text.indexOf(after, start);
    if (at <= start || at >= to || (other >= 0 && other < at)) return undefined;
    if (before !== '=' && text.slice(start, at).includes('=')) return undefined;
    start = at + 1;
  }
  if (after !== '') {
    const at = text.lastIndexOf(after, to - 1);
    if (at > start) end = at;
  }
  const quote = text[start] ?? '';
  const quoted = /["']/.test(quote) && end - start > 1 && text[end - 1] === quote;
  return quoted ? unlessModest(text, start + 1, end - 1) : unlessModest(text, start, end);
}

/** Whether a word in the place of a value is the next option. */
export function looksLikeOption(text: string, from: number, to: number): boolean {
  return text[from] === '-' && to - from < 64 && OPTION.test(text.slice(from, to));
}

/** Counts the backslashes before a place; each is two characters in a record. */
function backslashesBefore(text: string, at: number): number {
  let from = at;
  while (from > 0 && text[from - 1] === '\\') from -= 1;
  return (at - from) >> 1;
}

/**
 * The quote at a place, with the number of backslashes before it; the quoted text begins at `end`.
 */
export function quoteAt(
  text: string,
  at: number,
): { readonly quote: string; readonly depth: number; readonly end: number } | undefined {
  let from = at;
  while (text[from] === '\\') from += 1;
  const quote = text[from] ?? '';
  if (!QUOTE.test(quote) || (from - at) % 2 !== 0) return undefined;
  return { quote, depth: (from - at) >> 1, end: from + 1 };
}

/** The quote directly before a place, if there is one. */
export function quoteBefore(
  text: string,
  at: number,
): { readonly quote: string; readonly depth: number } | undefined {
  const quote = text[at - 1] ?? '';
  return QUOTE.test(quote) ? { quote, depth: backslashesBefore(text, at - 1) } : undefined;
}

/**
 * Finds the end of a quoted text: the same quote behind as many backslashes as the opening one has
 * (more of them escape it), or the end of the whole text.
 */
export function quotedEnd(text: string, from: number, quote: string, depth: number): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    const backslashes = backslashesWithin(text, from, at);
    const closes = depth === 0 ? backslashes % 2 === 0 : backslashes <= depth;
    if (closes) return at - (depth === 0 ? 0 : 2 * backslashes);
  }
  return text.length;
}

function backslashesWithin(text: string, from: number, at: number): number {
  return Math.min(backslashesBefore(text, at), (at - from) >> 1);
}

/** Finds the end of a line or, with `quotes`, the next quote if that comes first. */
export function lineEnd(text: string, from: number, quotes: boolean): number {
  const rest = quotes ? REST_IN_QUOTES : REST;
  rest.lastIndex = from;
  rest.test(text);
  let at = rest.lastIndex;
  while (at > from && text[at - 1] === '\\') at -= 1;
  return at;
}

/**
 * Finds the end of a word as a shell reads it: white space or one of `stops`, unless these are
 * quoted within the word. A word inside quotes ends with these at the latest.
 */
export function wordEnd(reading: Reading, from: number, stops: string): number {
  return endOfWord(reading.text, from, stops, enclosingQuote(reading, from));
}

/** The same, with the quote that is open at `from`; empty: none is. */
export function endOfWord(text: string, from: number, stops: string, enclosing: string): number {
  let at = from;
  while (at < text.length) {
    PLAIN.lastIndex = at;
    if (PLAIN.test(text)) at = PLAIN.lastIndex;
    const character = text[at] ?? '';
    if (character === '\\' && text[at + 1] === '\\') {
      const escaped = text[at + 2] ?? '';
      if (enclosing === escaped || (stops.includes('"') && QUOTE.test(escaped))) return at;
      at += 3;
    } else if (SPACE.test(character) || character === enclosing || stops.includes(character))
      return at;
    else if (enclosing === '' && (character === '"' || character === "'"))
      at = quotedEnd(text, at + 1, character, 0) + 1;
    else at += 1;
  }
  return text.length;
}

/** The quote that is open at a place. Places must ascend, so that each character is read once. */
export function enclosingQuote(reading: Reading, at: number): string {
  const { text } = reading;
  for (; reading.quotesRead < at; reading.quotesRead++) {
    const character = text[reading.quotesRead] ?? '';
    if (character === '\\' && reading.quote !== "'") reading.quotesRead += 2;
    else if (character === reading.quote) reading.quote = '';
    else if (reading.quote === '' && (character === '"' || character === "'"))
      reading.quote = character;
  }
  return reading.quote;
}
