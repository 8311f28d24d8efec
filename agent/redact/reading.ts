/** Which part of a value is secret: all of it, or what follows the first of this character. */
export type Part = '' | ':' | '%' | '=';

/** A piece of a text, `to` excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A command's option whose value is secret although its name does not say so. */
export interface CommandRule {
  /** sticky; what follows is the value, attached, behind `=` or the next word */
  readonly option: RegExp;
  readonly part: Part;
  /** The value is no option's but an operand, such as in `htpasswd -b FILE USER X`. */
  readonly operand?: Operand;
}

/** Which word is the value. */
export interface Operand {
  /** how many come before it */
  readonly after: number;
  /** words that do not count: options, their values, what is no secret */
  readonly passes: RegExp;
}

/** What is known at some place of a command's arguments. */
export interface Reading {
  /** the argument that is read */
  text: string;
  /** The argument is a program of its own, as after `sh -c`. */
  script: boolean;
  /** The command whose options these are, where it has options of its own. */
  rules: readonly CommandRule[];
  /** The next argument is the value of an option, or an operand is still to come. */
  awaited: { readonly name: string } | { readonly part: Part } | Operand | undefined;
  /** how far quotes have been followed, and which one is open there */
  quotesRead: number;
  quote: string;
  /** how many places have been looked at closely */
  looks: number;
}

/**
 * Looks at one place of the text: `from` and `to` are the keyword's. Gives what to redact; `from`
 * of the answer is never before the keyword.
 */
export type Look = (reading: Reading, from: number, to: number) => Span | undefined;

/** A keyword and what to do where it stands. */
export type Anchor = readonly [keyword: string, look: Look];
