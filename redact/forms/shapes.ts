import type { Anchor, Look } from '../reading.ts';
import { Refusal } from '../refusal.ts';
import { unlessModest } from '../values.ts';
import { FORMS, TOKENS } from './tokens.ts';

/** Makes anchors that find secrets by their form, also by `extra` patterns. */
export function shapeAnchors(extra: readonly string[]): Anchor[] {
  const shapes = [...TOKENS, ...extra].map((pattern): Anchor => {
    const literal = literalOf(pattern);
    return [literal.toLowerCase(), lookFor(new RegExp(pattern, 'y'))];
  });
  const special = Object.entries(FORMS).map(([word, form]): Anchor => [word, lookFor(form)]);
  return [...shapes, ...special];
}

/** Throws a Refusal for a pattern that is not safe. */
export function checkPattern(pattern: string): void {
  literalOf(pattern);
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
    throw new Refusal('pattern', pattern, reason);
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
