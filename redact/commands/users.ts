import type { Anchor, Reading, Span } from '../reading.ts';
import { looksLikeOption, partOf, unlessModest, WHOLE, wordEnd } from '../values.ts';

const LONG = /--(?:user(?:name)?|(value))(?=[=\s]|$)/y;
/** `user%password` of Samba's commands */
const SAMBA = { prefix: '', before: '%', after: '' };
/** ports, numbers of processes and their lists, and names of files */
const NO_PASSWORD = /^[\d.:,/-]+$|^[\w.-]+\/|\.\w{1,4}$/;
const USER = 1;
const PASSWORD = 2;
/** `-l NAME`, which also means many other things */
const LOGIN = 3;
/** `--name …password --value X` */
const VALUE = 4;
const LOGIN_NAME = /^[A-Za-z_][\w.@-]*$/;
/** what an option of one letter means */
const LETTERS = new Uint8Array(65_536);
for (const letter of 'uU') LETTERS[letter.charCodeAt(0)] = USER;
LETTERS['l'.charCodeAt(0)] = LOGIN;
LETTERS['v'.charCodeAt(0)] = VALUE;
for (const letter of 'pPw') LETTERS[letter.charCodeAt(0)] = PASSWORD;
/** what may stand before an option */
const BEFORE = new Uint8Array(65_536);
for (const character of ' \t\n"\'') BEFORE[character.charCodeAt(0)] = 1;
const ACCOUNT_MAX = 128;
const SPACE = ' '.charCodeAt(0);
const DASH = '-'.charCodeAt(0);
const SMALL_U = 'u'.charCodeAt(0);
const SMALL_V = 'v'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const NINE = '9'.charCodeAt(0);

/**
 * Makes anchors that find the password in `-u NAME … -p X` and the value in `--name NAME … --value
 * X`, as commands have them whose usage is not known. Without a user before it, `-p` mostly means
 * something else.
 */
export function userAnchors(): Anchor[] {
  const ends = [';', '&', '|', '\n'].map((end): Anchor => [end, endOfCommand]);
  return [['-', lookAtOption], ...ends];
}

function lookAtOption(reading: Reading, from: number): Span | undefined {
  const { text } = reading;
  if (from > 0 && BEFORE[text.charCodeAt(from - 1)] !== 1) return undefined;
  const letter = text.charCodeAt(from + 1);
  if (letter === DASH) return lookAtLong(reading, from);
  const meaning = LETTERS[letter];
  if (meaning === undefined || !counts(reading, meaning)) return undefined;
  const end = from + 2;
  const isLetter = end === text.length || text.charCodeAt(end) === SPACE;
  return isLetter ? lookAtMeaning(reading, from, end, meaning) : undefined;
}

function lookAtLong(reading: Reading, from: number): Span | undefined {
  const { text } = reading;
  const letter = text.charCodeAt(from + 2);
  if (letter !== SMALL_U && (letter !== SMALL_V || !reading.named)) return undefined;
  LONG.lastIndex = from;
  const [all, value] = LONG.exec(text) ?? [];
  if (all === undefined) return undefined;
  const end = from + all.length;
  if (value !== undefined && from === 0 && text[end] === '=')
    return unlessModest(text, end + 1, text.length);
  return lookAtMeaning(reading, from, end, value === undefined ? USER : VALUE);
}

/** Whether an option of this meaning counts, for what was read before. */
function counts({ user, named }: Reading, meaning: number): boolean {
  if (meaning === PASSWORD) return user;
  return meaning === VALUE ? named : meaning !== 0;
}

function lookAtMeaning(
  reading: Reading,
  from: number,
  end: number,
  meaning: number,
): Span | undefined {
  const { text, args, index } = reading;
  if (end < text.length)
    return from < reading.walkedText ? undefined : inText(reading, end, meaning);
  if (from > 0 || (index < reading.walkedArgs && !reading.unknown)) return undefined;
  const next = args[index + 1] ?? '';
  if (looksLikeOption(next, 0, next.length)) return undefined;
  if (meaning === USER || (meaning === LOGIN && LOGIN_NAME.test(next))) {
    reading.user = true;
    if (next.includes('%') && text === '-U') reading.awaited = { part: SAMBA };
  } else if (meaning === VALUE) reading.awaited = { part: WHOLE };
  else if (meaning === PASSWORD && !NO_PASSWORD.test(next)) reading.awaited = { part: WHOLE };
  return undefined;
}

/** Looks at the word behind an option in a text. */
function inText(reading: Reading, from: number, meaning: number): Span | undefined {
  const { text } = reading;
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  const first = text.charCodeAt(at);
  if (first === DASH) return undefined;
  if (meaning === LOGIN || meaning === VALUE) return undefined;
  if (meaning === USER) {
    reading.user = true;
    if (!text.slice(at, at + ACCOUNT_MAX).includes('%')) return undefined;
  } else if (first >= ZERO && first <= NINE && /^\d{1,5}(?:\s|$)/.test(text.slice(at, at + 6)))
    return undefined;
  const end = wordEnd(reading, at, ';&|<>()');
  const word = text.slice(at, end);
  if (meaning === PASSWORD) return NO_PASSWORD.test(word) ? undefined : unlessModest(text, at, end);
  const span = text[from - 1] === 'U' ? partOf(word, 0, word.length, SAMBA) : undefined;
  return span && { from: at + span.from, to: at + span.to };
}

/** Ends a command where the next one of a script begins. */
function endOfCommand(reading: Reading, from: number): undefined {
  if (reading.user && reading.text[from - 1] !== '\\') reading.user = false;
}
