import { AgentError } from '../errors.ts';
import type { Anchor, Look, Reading, Span } from './reading.ts';
import {
  lineEnd,
  looksLikeOption,
  quoteAt,
  quoteBefore,
  quotedEnd,
  unlessModest,
  wordEnd,
} from './values.ts';

/** How names of secrets end; `key` and `auth` mean a secret only together with the word before. */
const ENDINGS = [
  'pass(?:word|wd|phrase|code|in|out)?|pwd|secret|token|key|cred(?:ential)?s?',
  'auth(?:orization)?|cookie|psk|signature',
  'bearer|jwt|otp|pw',
];
const KEYWORDS = ['pass', 'pwd', 'secret', 'token', 'key', 'cred', 'auth', 'cookie', 'psk'];
/** Words that mean a secret only as an option: `--oauth2-bearer`, `--jwt`, `-pw`. */
const OPTIONS = ['bearer', 'jwt', 'otp', 'pw'];
const OPTION = /^--?(?:(?:[\w.-]*-)?bearer|jwt|otp|pw)$/i;

const KEYS =
  'api|access|secret|private|encryption|signing|master|auth|account|storage|subscription|shared|session|functions?|hmac|ssh';
const BARE = 'pass(?:word|wd|phrase|code|in|out)?|pwd|secret|token|cred(?:ential)?s?';
const SECRET = new RegExp(
  `(?:${BARE}|(?:${KEYS})[-_.]?key|_auth|masterauth|authorization|cookie|\\bpsk|_psk|x-(?:amz|goog)-signature)(?:_?\\d{1,3})?$`,
  'i',
);
const HARMLESS =
  /^-*(?:no|skip|without|disabled?|empty|ask|prompt|show|use|allow|enable)[-_.]|(?:next|page|starting|continuation|pagination|pull|load)[-_.]?(?:token|secret|credentials?)$|(?:^|[-_.])(?:by|com|encom|tres|sur|under|over)pass$|^set-credentials?$/i;
const FOLDERS = /^(?:OLD)?PWD$/;
const NAMES_FILES = /(?:pwd|jwt|(?:private|ssh)[-_.]?key|cred(?:ential)?s?)$/i;
const PATH = /^(?:\.{0,2}|~)\/[^\n]*$|^[\w.-]+\.(?:json|ya?ml|pem|key|crt|txt|conf)$/;
const BUILD_SECRET = /^-+secret=(?:id|type|src|source)=/;
const LINES = /^(?:proxy-)?authorization$|^(?:set-)?cookie$/i;
const SCHEME =
  /(?:bearer|basic|token|digest|negotiate|ntlm|apikey|key|aws4-hmac-sha256)[ \t]+(?=\S)/iy;
const COLON_ALONE = /(?:pass(?:word|wd|phrase)?|key|authorization|cookie)$|^(?:x|private)-/i;
const NAME = /[\w.-]/;
const NAME_LENGTH = 256;
/** a closing quote, space, a sign, space */
const SEPARATOR = /((?:\\\\)*["'`]?\]?)((?:[ \t]|\\\\\n)*)(=>|:=|==?|[:,]|)((?:[ \t]|\\\\\n)*)/y;
const OPTION_CHAIN = /^(?:--?[\w.-]+=)+$/;
const SQL = /(?:with|encrypted|by|set)\s{1,8}$/i;
const STOPS: Record<string, string> = {
  '?': '&"\'`<>',
  '&': '&"\'`<>;|',
  ',': ',)}',
  '{': ',}',
  '(': ',)',
};
const SHELL_STOPS = ';&|<>()';

/**
 * Makes anchors that find values by the names of options, variables, headers and fields, also
 * `extra` ones.
 */
export function nameAnchors(extra: readonly string[]): Anchor[] {
  const given = extra.map(parseName);
  const endings = [...given.map(({ ending }) => ending), ...ENDINGS].join('|');
  const tail = new RegExp(`(?:${endings})(?:_?\\d{1,3})?`, 'iy');
  const secret = new RegExp(
    [SECRET.source, ...given.map(({ pattern }) => `(?<![a-z\\d])${pattern}$`)].join('|'),
    'i',
  );
  const look = createLook(tail, secret);
  const keywords = new Set([
    ...KEYWORDS,
    ...OPTIONS,
    'signature',
    ...given.map(({ ending }) => ending),
  ]);
  return [...keywords].map((keyword) => [keyword, look]);
}

/** Reads an extra name: its last word, and a pattern of the whole name with any separators. */
function parseName(name: string): { readonly ending: string; readonly pattern: string } {
  const words = name.replace(/^-+/, '').toLowerCase().split(/[-_.]/);
  const ending = words.at(-1) ?? '';
  if (name.length > 64 || !words.every((word) => /^[a-z\d]+$/.test(word)) || ending.length < 2)
    throw new AgentError('REDACTED_NAME_INVALID', { name });
  return { ending, pattern: words.join('[-_.]?') };
}

function createLook(tail: RegExp, secret: RegExp): Look {
  return (reading, from) => {
    const { text } = reading;
    tail.lastIndex = from;
    if (!tail.test(text)) return undefined;
    const end = tail.lastIndex;
    reading.looks += 1;
    SEPARATOR.lastIndex = end;
    const [all = '', quote = '', gap = '', sign = '', after = ''] = SEPARATOR.exec(text) ?? [];
    const at = end + all.length;
    if (all === '' && at < text.length) return undefined;
    const start = nameStart(text, from);
    const name = text.slice(start, end);
    if (start < 0 || !(secret.test(name) || OPTION.test(name)) || HARMLESS.test(name))
      return undefined;
    if (FOLDERS.test(name) || isReference(text, start, sign === '=' && quote === ''))
      return undefined;
    const found = { name, start, at };
    if (sign === '') return nextWord(reading, found, quote + gap !== '');
    if (sign === ',') return listed(reading, found, quote !== '');
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
    const setting = reading.rules.some(({ option }) => option === SETTING) && /[\s:]/.test(before);
    if (option || setting) reading.awaited = { name };
    return undefined;
  }
  const sql = text[at] === "'" && SQL.test(text.slice(Math.max(0, start - 20), start));
  if (!apart || !(option || sql)) return undefined;
  const end = wordEnd(reading, at, SHELL_STOPS);
  return looksLikeOption(text, at, end) ? undefined : unquoted(text, at, end, name);
}

/** Marks commands whose bare arguments are names, as in `config set NAME X`; it matches nothing. */
export const SETTING = /(?!)/y;

/** Finds the value in `["--password", "X"]`. */
function listed(reading: Reading, { name, at }: Found, quoted: boolean): Span | undefined {
  const opening = quoteAt(reading.text, at);
  if (!quoted || opening === undefined || !name.startsWith('-')) return undefined;
  const { quote, depth, end } = opening;
  return unlessHarmless(reading.text, end, quotedEnd(reading.text, end, quote, depth), name);
}

/** Whether a colon assigns a value; not in `/etc/passwd:/etc/passwd:ro` or `secret:latest`. */
function colonAssigns(text: string, { name, start, at }: Found, apart: boolean): boolean {
  if (text[start - 1] === '/' || text[at] === '/') return false;
  const opened = /[{,]/.test(text[start - 1] ?? '');
  return apart || opened || COLON_ALONE.test(name) || quoteAt(text, at) !== undefined;
}

function secretIn(reading: Reading, found: Found, colon: boolean, closed: boolean) {
  const { text } = reading;
  const { name, start, at } = found;
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
  const outer = closed ? undefined : quoteBefore(text, start);
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
  }
  return unlessModest(text, from, to);
}

/** Returns the secret part of an argument that follows an option of this name. */
export function awaitedValue(text: string, name: string): Span | undefined {
  const isOption = looksLikeOption(text, 0, text.length);
  return isOption ? undefined : unlessHarmless(text, 0, text.length, name);
}
