/** The secret part of a value: all of it, or what follows the first such character. */
export type Part = '' | ':' | '%' | '=';

/** A piece of a text; `to` is exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A command's option whose value is secret although its name does not say so. */
export interface CommandRule {
  /** A sticky expression; the value follows it directly, after `=`, or as the next word. */
  readonly option: RegExp;
  readonly part: Part;
  /**
   * Set where the value is an operand and not the option's own, as in `htpasswd -b FILE USER X`.
   */
  readonly operand?: Operand;
}

/** Which operand is the value. */
export interface Operand {
  /** how many operands come before it */
  readonly after: number;
  /** Matches words that are not counted: options, their values, and words that are no secrets. */
  readonly passes: RegExp;
}

/** The state of reading a command's arguments, up to some place. */
export interface Reading {
  /** the argument that is being read */
  text: string;
  /** Whether the argument is a script, as after `sh -c`. */
  script: boolean;
  /** The rules of the current command, where it has rules of its own. */
  rules: readonly CommandRule[];
  /** What the next argument is, if an option or an operand has announced a value. */
  awaited: { readonly name: string } | { readonly part: Part } | Operand | undefined;
  /** how far quotes have been followed, and which quote is open there */
  quotesRead: number;
  quote: string;
  /** how many places have been examined closely */
  looks: number;
}

/**
 * Examines the keyword from `from` to `to` and returns what to redact; undefined: nothing. The
 * returned span never begins before the keyword.
 */
export type Look = (reading: Reading, from: number, to: number) => Span | undefined;

/** A keyword, and what to do where it occurs. */
export type Anchor = readonly [keyword: string, look: Look];
