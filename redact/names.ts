import { isIntroduced } from './forms/sql.ts';
import type { Anchor, Look, Reading, Span } from './reading.ts';
import type { SecretNames } from './secret-names.ts';
import {
  lineEnd,
  looksLikeOption,
  quoteAt,
  quoteBefore,
  quotedEnd,
  unlessModest,
  wordEnd,
} from './values.ts';

const NAMES_FILES = /(?:pwd|jwt|(?:private|ssh|secret|auth)[-_.]?key|cred(?:ential)?s?)$/i;
const PATH = /^(?:\.{0,2}|~)\/[^\n]*$|^[\w.-]+\.(?:json|ya?ml|pem|key|crt|txt|conf|gpg|asc)$/;
const BUILD_SECRET = /^-+secret=(?:id|type|src|source)=/;
const LINES = /^(?:proxy-)?authorization$|^(?:set-)?cookie$/i;
const SCHEME =
  /(?:bearer|basic|token|digest|negotiate|ntlm|\w*key|splunk|aws4-hmac-sha256)[ \t]+(?:token=)?(?=\S)/iy;
const COLON_ALONE = /(?:pass(?:word|wd|phrase)?|key|authorization|cookie)$|^(?:x|private|job)-/i;
/** options with the name of what `--value` sets */
const NAMING = /^(?:-n|--?(?:name|key|parameter))$/;
const AUTH = /^--?(?:[\w.-]*-)?auth$/i;
/** options whose values have the form `user:password` */
const OF_USERS = /^--?(?:[\w.-]*-)?(?:auth|cred(?:ential)?s?)$/i;
const PIN = /^--?(?:[\w-]*-)?pin$/i;
/** `user:password`; not a URL */
const USER_AND_PASSWORD = /^[^:/\s]+:(?!\/\/)./;
/** a number, unless it is a phrase of many words */
const SEED = /seed$/i;
const DIGITS = /^\d{4,12}$/;
const NAME = /[\w.-]/;
const NAME_LENGTH = 256;
const ELEMENT_MAX = 1024;
/** a closing quote, space, a sign, space */
const SEPARATOR = /((?:\\\\)*["'`]?\]?)((?:[ \t]|\\\\\n)*)(=>|:=|==?|[:,>]|)((?:[ \t]|\\\\\n)*)/y;
const OPTION_CHAIN = /^(?:--?[\w.-]+=)+$/;
const STOPS: Record<string, string> = {
  '?': '&"\'`<>',
  '&': '&"\'`<>;|',
  ',': ',)}',
  '{': ',}',
  '(': ',)',
  '[': ',]',
};
const SHELL_STOPS = ';&|<>()';

/** Makes anchors that find values by the names of options, variables, headers and fields. */
export function nameAnchors(names: SecretNames): Anchor[] {
  const look = createLook(names);
  return names.keywords.map((keyword) => [keyword, look]);
}

function createLook({ ending, has }: SecretNames): Look {
  return (reading, from) => {
    const { text } = reading;
    ending.lastIndex = from;
    if (!ending.test(text)) return undefined;
    const end = ending.lastIndex;
    if (end < text.length && NAME.test(text[end] ?? '')) return undefined;
    reading.looks += 1;
    SEPARATOR.lastIndex = end;
    const [all = '', quote = '', gap = '', sign = '', after = ''] = SEPARATOR.exec(text) ?? [];
    const at = end + all.length;
    if (all === '' && at < text.length) return undefined;
    const start = nameStart(text, from);
    const name = text.slice(start, end);
    if (start < 0 || !has(name) || isExempt(reading, start)) return undefined;
    if (isReference(text, start, sign === '=' && quote === '')) return undefined;
    const found = { name, start, at };
    if (sign === '') return nextWord(reading, found, quote + gap !== '');
    if (sign === ',') return listed(reading, found, quote !== '');
    if (sign === '>') return quote + gap === '' ? element(text, found) : undefined;
    if (sign === ':' && !colonAssigns(text, found, quote + after !== '')) return undefined;
    if (sign === '=' && /cookie$/i.test(name)) return undefined;
    return secretIn(reading, found, sign === ':', quote !== '');
  };
}

interface Found {
  readonly name: string;
  /** where the name begins */
  readonly start: number;
  /** where its value begins */
  readonly at: number;
}

/** Finds where a name begins; -1: it is too long for a name. */
function nameStart(text: string, from: number): number {
  let start = from;
  while (start > 0 && NAME.test(text[start - 1] ?? '')) {
    start -= 1;
    if (from - start > NAME_LENGTH) return -1;
  }
  return start;
}

/** Whether a command's usage says that the name of the option there is not that of a secret. */
function isExempt({ walked, index, exempt }: Reading, start: number): boolean {
  if (walked[index]?.exempt === true) return true;
  return exempt.some(({ from, to }) => from <= start && start < to);
}

/** Whether it is `${NAME` or `$NAME`, unless that is assigned to, as in PowerShell and PHP. */
function isReference(text: string, start: number, assigned: boolean): boolean {
  if (text[start - 1] === '$') return !assigned;
  return text[start - 1] === '{' && text[start - 2] === '$';
}

/** Finds the value in `--password X` and in `WITH PASSWORD 'X'`. */
function nextWord(reading: Reading, { name, start, at }: Found, apart: boolean): Span | undefined {
  const { text } = reading;
  const before = text[start - 1] ?? ' ';
  const option = name.startsWith('-') && /[\s"'`([,]/.test(before);
  if (at >= text.length) {
    if (option) reading.awaited = { name };
    else if (NAMING.test(reading.args[reading.index - 1] ?? '')) reading.named = true;
    return undefined;
  }
  if (!apart || !(option || isIntroduced(text, start, at))) return undefined;
  const end = wordEnd(reading, at, SHELL_STOPS);
  return looksLikeOption(text, at, end) ? undefined : unquoted(text, at, end, name);
}

/** Finds the value in `["--password", "X"]`. */
function listed(reading: Reading, { name, at }: Found, quoted: boolean): Span | undefined {
  const opening = quoteAt(reading.text, at);
  if (!quoted || opening === undefined || !name.startsWith('-')) return undefined;
  const { quote, depth, end } = opening;
  return unlessHarmless(reading.text, end, quotedEnd(reading.text, end, quote, depth), name);
}

/** Finds the value in `<password>X</password>`. */
function element(text: string, { name, start, at }: Found): Span | undefined {
  if (text[start - 1] !== '<') return undefined;
  const length = text.slice(at, at + ELEMENT_MAX).indexOf('</');
  return length < 0 ? undefined : unlessHarmless(text, at, at + length, name);
}

/**
 * Whether a colon assigns a value; not in `/etc/passwd:/etc/passwd:ro`, `secret:latest` or
 * `db:password:reset`, nor before a list or an object, whose own fields are read.
 */
function colonAssigns(text: string, { name, start, at }: Found, apart: boolean): boolean {
  const before = text[start - 1] ?? '';
  if (before === '/' || /[/[{]/.test(text[at] ?? '')) return false;
  if (before === ':' && !apart) return false;
  return apart || /[{,]/.test(before) || COLON_ALONE.test(name) || quoteAt(text, at) !== undefined;
}

function secretIn(reading: Reading, found: Found, colon: boolean, closed: boolean) {
  const { text } = reading;
  const { name, start, at } = found;
  const outer = closed ? undefined : quoteBefore(text, start);
  // A prompt ends with its quotes: `"Password: "`.
  if (colon && outer !== undefined && outer.depth === 0 && text[at] === outer.quote)
    return undefined;
  const whole = !reading.script && !closed && beginsArgument(text, start);
  const header = LINES.test(name.replace(/^-+H?/, ''));
  const from = header ? afterScheme(text, at) : at;
  if (whole)
    return unlessHarmless(text, from, colon ? lineEnd(text, from, false) : text.length, name);
  const opening = quoteAt(text, from);
  if (opening !== undefined && !(closed && opening.depth === 0 && from === at - 1)) {
    const { quote, depth, end } = opening;
    const inner = header ? afterScheme(text, end) : end;
    const closing = quotedEnd(text, inner, quote, depth);
    const next = text[closing + 2 * depth + 1] ?? ' ';
    if (colon || depth > 0 || /[\s;,&|)}\]]/.test(next))
      return unlessHarmless(text, inner, closing, name);
    return { from, to: wordEnd(reading, from, SHELL_STOPS) };
  }
  if (outer !== undefined)
    return unlessHarmless(text, from, quotedEnd(text, from, outer.quote, outer.depth), name);
  if (header) return unlessHarmless(text, from, lineEnd(text, from, true), name);
  const stops = STOPS[text[start - 1] ?? ''] ?? SHELL_STOPS;
  return unlessHarmless(text, from, wordEnd(reading, from, colon ? `${stops},}` : stops), name);
}

/** Whether it is `NAME=…` or `--env=NAME=…`, whose value extends to the end of the argument. */
function beginsArgument(text: string, start: number): boolean {
  if (start === 0) return true;
  return text[start - 1] === '=' && start < NAME_LENGTH && OPTION_CHAIN.test(text.slice(0, start));
}

function afterScheme(text: string, at: number): number {
  SCHEME.lastIndex = at;
  return SCHEME.test(text) ? SCHEME.lastIndex : at;
}

/** Leaves out the quotes around a value if they enclose all of it. */
function unquoted(text: string, from: number, to: number, name: string): Span | undefined {
  const opening = quoteAt(text, from);
  if (opening === undefined) return unlessHarmless(text, from, to, name);
  const { quote, depth, end } = opening;
  const closing = quotedEnd(text, end, quote, depth);
  const all = depth > 0 || closing + 1 >= to;
  return all ? unlessHarmless(text, end, closing, name) : { from, to };
}

function unlessHarmless(text: string, from: number, to: number, name: string): Span | undefined {
  if (to - from <= NAME_LENGTH) {
    const value = text.slice(from, to);
    if (NAMES_FILES.test(name) && PATH.test(value)) return undefined;
    if (BUILD_SECRET.test(`${name}=${value}`)) return undefined;
    if (PIN.test(name) && !DIGITS.test(value)) return undefined;
    if (SEED.test(name) && !/\s/.test(value)) return undefined;
    if (OF_USERS.test(name) && USER_AND_PASSWORD.test(value))
      return unlessModest(text, from + value.indexOf(':') + 1, to);
    if (AUTH.test(name)) return undefined;
  }
  return unlessModest(text, from, to);
}

/** Returns the secret part of an argument that follows an option of this name. */
export function awaitedValue(text: string, name: string): Span | undefined {
  const isOption = looksLikeOption(text, 0, text.length);
  return isOption ? undefined : unlessHarmless(text, 0, text.length, name);
}
