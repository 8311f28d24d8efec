/** The secret part of a value: what follows `prefix` and `before`, up to the last `after`. */
export interface Part {
  readonly prefix: string;
  readonly before: string;
  readonly after: string;
}

/** A piece of a text; `to` is exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a command's usage says of one of its arguments. */
export interface Walked {
  readonly spans: Span[];
  /** Whether it is an option whose name says nothing about a secret. */
  exempt: boolean;
}

/** The state of reading a command's arguments, up to some place. */
export interface Reading {
  args: readonly string[];
  /** the number of the argument that is being read, and its text */
  index: number;
  text: string;
  /** Whether the argument is a script, as after `sh -c`. */
  script: boolean;
  /** The option, read from the argument before, whose value this argument is. */
  awaited: { readonly name: string } | { readonly part: Part } | undefined;
  /** Whether the command runs another one that follows its options. */
  runs: boolean;
  /** The arguments of commands whose usage is known. Empty: there is no such command. */
  readonly walked: (Walked | undefined)[];
  /** Up to which argument usages have been followed, and up to which place of the text. */
  walkedArgs: number;
  walkedText: number;
  /** how many words of commands have been followed */
  words: number;
  /** the end of the last command that only prints its operands */
  walkedEcho: number;
  /** what usages say of commands within the text */
  spans: Span[];
  exempt: Span[];
  /** Whether the usage of the command is not known. */
  unknown: boolean;
  /** Whether an option has named a user, so that `-p` means a password. */
  user: boolean;
  /** Whether an option has named a secret, so that `--value` means it. */
  named: boolean;
  /** how far quotes have been followed, and which quote is open there */
  quotesRead: number;
  quote: string;
  /** how many places have been examined closely */
  looks: number;
}

/**
 * Examines the keyword from `from` to `to` and returns what to redact; undefined: nothing. Places
 * ascend.
 */
export type Look = (reading: Reading, from: number, to: number) => Span | undefined;

/** A keyword, and what to do where it occurs. */
export type Anchor = readonly [keyword: string, look: Look];
