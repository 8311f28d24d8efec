import { AgentError } from '../errors.ts';
import type { Anchor, Look } from './reading.ts';
import { unlessModest } from './values.ts';

/**
 * Tokens with a known form. Each begins with a literal, and only its end has a variable length (a
 * JWT's parts exclude each other), so that no search starts over.
 */
const SHAPES: readonly string[] = [
  'AKIA[A-Z0-9]{16}', // AWS
  'ASIA[A-Z0-9]{16}',
  'AIza[\\w-]{30,}', // Google
  'ya29\\.[\\w.-]{16,}',
  'GOCSPX-[\\w-]{16,}',
  ...[...'oprsu'].map((kind) => `gh${kind}_\\w{16,}`), // GitHub
  'github_pat_\\w{16,}',
  'glpat-[\\w.-]{16,}', // GitLab
  ...[...'abceoprs'].map((kind) => `xox${kind}-[\\w.%-]{10,}`), // Slack
  'xapp-[\\w-]{16,}',
  'npm_[A-Za-z0-9]{30,}',
  'pypi-[\\w-]{30,}',
  'dckr_pat_[\\w-]{16,}',
  'hvs\\.[\\w-]{16,}', // Vault
  'hvb\\.[\\w-]{16,}',
  'sk_live_\\w{16,}', // Stripe
  'rk_live_\\w{16,}',
  'sk-ant-[\\w-]{16,}',
  'sk-proj-[\\w-]{16,}',
  'dop_v1_[a-f0-9]{32,}',
  'SG\\.[\\w.-]{32,}',
  'AGE-SECRET-KEY-1[A-Z0-9]{16,}',
];
/** Forms that need more than a pattern: by keyword; group 1 is not redacted. */
const SPECIAL: Readonly<Record<string, RegExp>> = {
  eyj: /(?<![\w-])eyJ[\w-]{8,}\.[\w.-]{2,}/y,
  'bearer ': /(bearer[ \t]+)[\w.~+/-]{16,}=*/iy,
  'hooks.slack.com/services/': /(hooks\.slack\.com\/services\/)[\w/]{16,}/y,
  '-----begin ':
    /(-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?(?=-----END [A-Z ]{0,32}PRIVATE|$)/y,
  '"auth"': /("auth"\s*:\s*")[\w+/=-]{8,}/y, // a registry's credentials in docker's configuration
  'password(': /(password\(\s*')[^']+/iy,
  'identified ': /(identified\s+(?:with\s+\w+\s+)?(?:by|as)\s+(?:password\s+)?')[^']+/iy,
};

/** Makes anchors that find secrets by their form, also by `extra` patterns. */
export function shapeAnchors(extra: readonly string[]): Anchor[] {
  const shapes = [...SHAPES, ...extra].map((pattern): Anchor => {
    const literal = literalOf(pattern);
    return [literal.toLowerCase(), lookFor(new RegExp(pattern, 'y'))];
  });
  const special = Object.entries(SPECIAL).map(([word, form]): Anchor => [word, lookFor(form)]);
  return [...shapes, ...special];
}

function lookFor(form: RegExp): Look {
  return (reading, from) => {
    const { text } = reading;
    reading.looks += 1;
    form.lastIndex = from;
    const match = form.exec(text);
    if (match === null) return undefined;
    return unlessModest(text, from + (match[1]?.length ?? 0), form.lastIndex);
  };
}

const PIECE =
  /(?:([\w/:@=~%,!#&;<> -])|\\([.+*?()[\]{}|^$/-])|(\\[dw]|\[(?:[\w.+/=~%:@, -]|\\[dw.-])+\]))(\{\d{1,3}\}|\{\d{1,3},\d{0,3}\}|\+)?/y;
const LITERAL_MIN = 3;
const PATTERN_MAX = 200;
const REPEAT_MAX = 200;

/**
 * Returns the literal that a pattern begins with, and throws for a pattern that is not safe. A safe
 * one is a sequence of characters and classes with fixed counts, and only its last piece may vary
 * in length, so that it cannot backtrack.
 */
function literalOf(pattern: string): string {
  const refuse = (reason: string): never => {
    throw new AgentError('REDACTED_PATTERN_INVALID', { pattern, reason });
  };
  if (pattern.length > PATTERN_MAX) refuse(`it is longer than ${PATTERN_MAX} characters`);
  let literal = '';
  let leads = true;
  let least = 0;
  for (let at = 0; at < pattern.length; at = PIECE.lastIndex) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(pattern);
    if (piece === null)
      return refuse(
        `"${pattern.slice(at)}" is not a character, \\d, \\w or [a class], with {n}; at the end {n,}, {n,m} or +`,
      );
    const [, plain, escaped, , count = ''] = piece;
    const character = plain ?? escaped;
    if (/[+,]/.test(count) && PIECE.lastIndex < pattern.length)
      refuse(`"${count}" may stand at its end only`);
    least += count === '' || count === '+' ? 1 : Number.parseInt(count.slice(1), 10);
    leads &&= character !== undefined && count === '';
    if (leads) literal += character;
  }
  if (literal.length < LITERAL_MIN) refuse(`it must begin with ${LITERAL_MIN} plain characters`);
  if (least > REPEAT_MAX) refuse(`it asks for more than ${REPEAT_MAX} characters`);
  try {
    new RegExp(pattern, 'y');
  } catch (error) {
    refuse((error as Error).message);
  }
  return literal;
}
