import type { Anchor, Look, Span } from '../reading.ts';
import { endOfWord, quoteAt, quotedEnd, unlessModest } from '../values.ts';

/** How far back the words before a name are read. */
const CONTEXT = 96;
/** `WITH PASSWORD 'X'`, `SET PASSWORD 'X'`, `OPTIONS (user 'u', password 'X')` */
const INTRODUCED = /(?:\b(?:with|encrypted|by|set|login|nologin)\s{1,8}|[(,]\s{0,8})$/i;
/** `CREATE USER u PASSWORD 'X'` */
const OF_A_USER =
  /\b(?:user|role|login|account)\s{1,8}(?:if\s{1,8}(?:not\s{1,8})?exists\s{1,8})?\S{1,64}\s{1,8}(?:[a-z]{1,16}\s{1,8}){0,3}$/i;
/** `login bob password X` in a netrc file, `root_password password X` of debconf */
const OF_A_LINE = /(?:\blogin\s{1,8}\S{1,64}|password)\s{1,8}$/i;

/**
 * Whether the name that begins at `start` introduces the value at `at` although no sign stands
 * between them, as in SQL and in some files of credentials.
 */
export function isIntroduced(text: string, start: number, at: number): boolean {
  const before = text.slice(Math.max(0, start - CONTEXT), start);
  if (quoteAt(text, at) === undefined) return OF_A_LINE.test(before);
  return INTRODUCED.test(before) || OF_A_USER.test(before);
}

const IDENTIFIED =
  /identified\s{1,8}(?:with\s{1,8}(?:'[\w-]{1,48}'|"[\w-]{1,48}"|[\w-]{1,48})\s{1,8})?(?:by|as)\s{1,8}(?:password\s{1,8}|values\s{1,8})?/iy;
const REPLACE = /\s{1,8}replace\s{1,8}/iy;
const SET_FOR = /set\s{1,8}password\s{1,8}(?:for\s{1,8}\S{1,128}\s{1,8}(?:=|to)|from)\s{0,8}/iy;
const TO = /\s{1,8}to\s{1,8}/iy;
const RANDOM = /random\b/iy;

/** Functions with a secret among their arguments, which is the n-th text in quotes. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  'password(': 1,
  'encrypt(': 2,
  'changeuserpassword(': 2,
  'db.auth(': 2,
  's3(': 3,
  'mysql(': 5,
  'postgresql(': 5,
  'pdo(': 3,
  'dbi->connect(': 3,
  'mysqli_connect(': 3,
  'convertto-securestring ': 1,
};
const COMMA = /\s{0,8},?\s{0,8}N?/y;

/** Makes anchors that find secrets in SQL and in calls of functions. */
export function sqlAnchors(): Anchor[] {
  return [
    ['identified ', lookAt(IDENTIFIED, REPLACE)],
    ['set password ', lookAt(SET_FOR, TO)],
    ...Object.entries(FUNCTIONS).map(([name, n]): Anchor => [name, lookAtCall(n)]),
  ];
}

/** Looks for a secret behind a form, and for one more behind another form. */
function lookAt(form: RegExp, another: RegExp): Look {
  return (reading, from) => {
    const { text } = reading;
    reading.looks += 1;
    const at = endOf(form, text, from);
    if (at < 0) return undefined;
    const first = literalAt(text, at, form === IDENTIFIED);
    if (first === undefined) return undefined;
    const next = endOf(another, text, first.to + 1);
    const second = next < 0 ? undefined : literalAt(text, next, false);
    if (second !== undefined) reading.spans.push(second);
    return unlessModest(text, first.from, first.to);
  };
}

function endOf(form: RegExp, text: string, from: number): number {
  form.lastIndex = from;
  return form.test(text) ? form.lastIndex : -1;
}

/** The text in quotes at a place, or also a word without quotes. */
function literalAt(text: string, at: number, bare: boolean): Span | undefined {
  const opening = quoteAt(text, at);
  if (opening !== undefined) return { from: opening.end, to: literalEnd(text, opening) };
  if (!bare || endOf(RANDOM, text, at) >= 0) return undefined;
  return { from: at, to: endOfWord(text, at, ';,()"\'`', '') };
}

interface Opening {
  readonly quote: string;
  readonly depth: number;
  readonly end: number;
}

/** Where a literal ends; two quotes within it stand for one. */
function literalEnd(text: string, { quote, depth, end }: Opening): number {
  let at = quotedEnd(text, end, quote, depth);
  while (depth === 0 && text[at + 1] === quote) at = quotedEnd(text, at + 2, quote, depth);
  return at;
}

function lookAtCall(n: number): Look {
  return (reading, _, to) => {
    const { text } = reading;
    reading.looks += 1;
    let at = to;
    for (let argument = 1; argument <= n; argument++) {
      const opening = quoteAt(text, endOf(COMMA, text, at));
      if (opening === undefined) return undefined;
      const end = literalEnd(text, opening);
      if (argument === n) return unlessModest(text, opening.end, end);
      at = end + 1 + 2 * opening.depth;
    }
    return undefined;
  };
}
