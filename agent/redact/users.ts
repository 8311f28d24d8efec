import type { Anchor, Reading, Span } from './reading.ts';
import { looksLikeOption, partOf, unlessModest, WHOLE, wordEnd } from './values.ts';

const LONG_USER = /--user(?:name)?(?=[=\s]|$)/y;
/** `user%password` of Samba's commands */
const SAMBA = { prefix: '', before: '%', after: '' };
/** ports, numbers of processes and their lists, and names of files */
const NO_PASSWORD = /^[\d.:,/-]+$|^[\w.-]+\/|\.\w{1,4}$/;
const USER = 1;
const PASSWORD = 2;
/** what an option of one letter means */
const LETTERS = new Uint8Array(65_536);
for (const letter of 'uU') LETTERS[letter.charCodeAt(0)] = USER;
for (const letter of 'pPw') LETTERS[letter.charCodeAt(0)] = PASSWORD;
/** what may stand before an option */
const BEFORE = new Uint8Array(65_536);
for (const character of ' \t\n"\'') BEFORE[character.charCodeAt(0)] = 1;
const ACCOUNT_MAX = 128;
const SPACE = ' '.charCodeAt(0);
const DASH = '-'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const NINE = '9'.charCodeAt(0);

/**
 * Makes anchors that find the password in `-u NAME … -p X`, as commands have it whose usage is not
 * known. Without a user before it, `-p` mostly means something else.
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
  if (meaning !== USER && (meaning !== PASSWORD || !reading.user)) return undefined;
  const end = from + 2;
  const isLetter = end === text.length || text.charCodeAt(end) === SPACE;
  return isLetter ? lookAtMeaning(reading, from, end, meaning) : undefined;
}

function lookAtLong(reading: Reading, from: number): Span | undefined {
  const { text } = reading;
  if (!text.startsWith('user', from + 2)) return undefined;
  LONG_USER.lastIndex = from;
  return LONG_USER.test(text) ? lookAtMeaning(reading, from, LONG_USER.lastIndex, USER) : undefined;
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
  if (from > 0 || index < reading.walkedArgs) return undefined;
  const next = args[index + 1] ?? '';
  if (looksLikeOption(next, 0, next.length)) return undefined;
  if (meaning === USER) {
    reading.user = true;
    if (next.includes('%') && text === '-U') reading.awaited = { part: SAMBA };
  } else if (!NO_PASSWORD.test(next)) reading.awaited = { part: WHOLE };
  return undefined;
}

/** Looks at the word behind an option in a text. */
function inText(reading: Reading, from: number, meaning: number): Span | undefined {
  const { text } = reading;
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  const first = text.charCodeAt(at);
  if (first === DASH) return undefined;
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
