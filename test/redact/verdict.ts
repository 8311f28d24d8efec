import { type CommandLine, piecesOf } from './corpus.ts';

const MARK = '[redacted]';

/** What came of a command line. */
export interface Verdict {
  /** Whether the line has secrets at all. */
  readonly hasSecrets: boolean;
  /** Whether a secret, or a part of one, is still there. */
  readonly left: boolean;
  /** Whether anything is gone that is no secret. */
  readonly tooMuch: boolean;
}

/** How lines with a secret and lines without one came out. */
export interface Tally {
  readonly withSecrets: number;
  readonly left: number;
  /** lines with a secret that lost more than it */
  readonly tooMuch: number;
  readonly without: number;
  /** lines without a secret that did not stay as they were */
  readonly changed: number;
}

type Redact = (
  args: readonly string[],
  executable: string | undefined,
) => { readonly args: readonly string[] };

/** Redacts a line and compares what is left with what must be. */
export function verdictOf({ marked, executable }: CommandLine, redact: Redact): Verdict {
  const given = marked.map((arg) => arg.replaceAll(/[«»]/g, ''));
  const { args } = redact(given, executable);
  let left = args.length !== given.length;
  let tooMuch = false;
  let hasSecrets = false;
  for (const [index, arg] of marked.entries()) {
    const kept = keptPlaces(given[index] ?? '', args[index] ?? '');
    let at = 0;
    for (const { text, secret } of piecesOf(arg)) {
      const places = kept.slice(at, at + text.length);
      if (secret) left ||= places.includes(true);
      else tooMuch ||= places.includes(false);
      hasSecrets ||= secret;
      at += text.length;
    }
  }
  return { hasSecrets, left, tooMuch };
}

/** For each character of an argument, whether it is still there. */
function keptPlaces(given: string, clean: string): boolean[] {
  const kept = new Array<boolean>(given.length).fill(false);
  const parts = clean.split(MARK);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const last = index > 0 && index === parts.length - 1;
    at = last ? given.length - part.length : given.indexOf(part, at);
    if (at < 0) throw new Error(`"${clean}" is not made of "${given}"`);
    kept.fill(true, at, at + part.length);
    at += part.length;
  }
  return kept;
}

/** Counts verdicts. */
export function tally(verdicts: readonly Verdict[]): Tally {
  const count = (test: (verdict: Verdict) => boolean) => verdicts.filter(test).length;
  return {
    withSecrets: count(({ hasSecrets }) => hasSecrets),
    left: count(({ left }) => left),
    tooMuch: count(({ hasSecrets, left, tooMuch }) => hasSecrets && !left && tooMuch),
    without: count(({ hasSecrets }) => !hasSecrets),
    changed: count(({ hasSecrets, tooMuch }) => !hasSecrets && tooMuch),
  };
}
