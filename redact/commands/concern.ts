import type { Usage } from './usage.ts';

/** Says quickly whether a usage may matter for some arguments. */
export type Concerns = (args: readonly string[]) => boolean;

/** Longer words are none of those that a usage line names. */
const WORD_MAX = 40;
const DASH = '-'.charCodeAt(0);
/** Subcommands that set what the line does not name. */
const SETTERS = ['put', 'write'];

/**
 * Makes a test that is cheap and never false where a usage line would find a secret or an option
 * that is no secret: most calls of `curl` need not be followed word by word.
 */
export function concernsOf(usages: readonly Usage[]): Concerns {
  if (usages.length === 0) return () => false;
  if (usages.some(isOpen)) return () => true;
  const words = new Set([...SETTERS, ...usages.flatMap(wordsOf)]);
  const prefixes = usages.flatMap(({ attached }) => attached.map(([prefix]) => prefix));
  const letters = usages.flatMap(({ clusters, needs }) => [
    ...clusters.map(([, option]) => option.slice(-1)),
    ...needs.filter((name) => name.length === 2).map((name) => name.slice(1)),
  ]);

  function concerns(arg: string): boolean {
    if (arg.length <= WORD_MAX && words.has(arg)) return true;
    for (const prefix of prefixes) if (arg.startsWith(prefix)) return true;
    if (arg.charCodeAt(0) !== DASH) return false;
    for (const letter of letters)
      if (arg.charCodeAt(1) !== DASH && arg.includes(letter)) return true;
    const sign = arg.indexOf('=');
    return sign > 0 && sign <= WORD_MAX && words.has(arg.slice(0, sign));
  }

  return (args) => {
    for (let at = 1; at < args.length; at++) if (concerns(args[at] ?? '')) return true;
    return false;
  };
}

/** Whether nothing but operands that may be anything must be there for a secret. */
function isOpen({ operands, needs }: Usage): boolean {
  const named = operands.find(({ kind }) => kind === 'word');
  if (named?.kind === 'word') return named.words === undefined;
  return operands.some(({ kind }) => kind === 'secret') && needs.length === 0;
}

/** The options of a line, and words: without one of them, its operands mean nothing. */
function wordsOf({ operands, options }: Usage): string[] {
  const named = operands.find(({ kind }) => kind === 'word');
  const words = named?.kind === 'word' ? (named.words ?? []) : [];
  return [...options.keys(), ...words, ...words.map((word) => word.toUpperCase())];
}
