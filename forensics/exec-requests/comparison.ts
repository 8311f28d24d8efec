import { createRedactor, type Redact } from '../../redact/redactor.ts';
import { REDACTED } from '../../redact/values.ts';
import type { ExecRequest } from './exec-request.ts';
import { asRecorded } from './recorded.ts';

/** The command of a record. */
export interface Ran {
  /** the arguments that were kept */
  readonly args: readonly string[];
  /** Whether more arguments followed, so that the last one may lack its end. */
  readonly isCut: boolean;
  readonly executable: string | undefined;
}

/** A request's command beside that of a record. */
export interface Comparison {
  /** Whether they are the same, as far as nothing is redacted or cut. */
  readonly isSame: boolean;
  /** Whether a part of the record's command is redacted, so that it may have been anything. */
  readonly isRedacted: boolean;
  /** the request's command as a record would have it; undefined: the log does not have it */
  readonly command: readonly string[] | string | undefined;
}

/**
 * Compares the command of a request with the arguments that were recorded. Records have backslashes
 * and bytes that are not UTF-8 escaped, and secrets redacted; requests have them as they are. Both
 * are redacted here, because a record may be of an agent that redacts less, or more.
 */
export function compareCommand(
  { command }: ExecRequest,
  { args, isCut, executable }: Ran,
): Comparison {
  const recorded = redact(isCut ? withoutTornCharacter(args) : args, executable).args;
  const isRedacted = recorded.some((word) => word.includes(REDACTED));
  if (command === undefined) return { isSame: false, isRedacted, command };
  if (typeof command !== 'string') {
    const given = command.map(asRecorded);
    const words = redact(given, executable).args;
    const isSame = isCut
      ? beginsWith(recorded, words) || beginsWith(recorded, given)
      : words.length === recorded.length && recorded.every((word, n) => fits(word, words[n] ?? ''));
    return { isSame, isRedacted, command: words };
  }
  const text = asRecorded(command);
  const isSame = fits(recorded.join(' '), text, isCut);
  return { isSame, isRedacted, command: redact(['sh', '-c', text]).args[2] ?? '' };
}

/** Whether words that were cut are the beginning of a command. */
function beginsWith(recorded: readonly string[], words: readonly string[]): boolean {
  const last = recorded.length - 1;
  return words.length > last && recorded.every((word, n) => fits(word, words[n] ?? '', n === last));
}

/** Removes bytes at the end that are the beginning of a character. */
function withoutTornCharacter(args: readonly string[]): readonly string[] {
  const last = args.at(-1) ?? '';
  return [...args.slice(0, -1), last.replace(/(?:\\x[89a-f][\da-f]){1,3}$/, '')];
}

let redactor: Redact | undefined;

/** Makes the redactor when it is needed, because few runs read an audit log. */
const redact: Redact = (args, executable) => {
  redactor ??= createRedactor();
  return redactor(args, executable);
};

/**
 * Whether a text is what was recorded, with anything in the place of its redacted parts and, if it
 * was cut, after its end.
 */
function fits(recorded: string, text: string, isCut = false): boolean {
  const [first = '', ...others] = recorded.split(REDACTED);
  const last = others.pop();
  if (last === undefined) return isCut ? text.startsWith(first) : text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  if (isCut) return text.includes(last, at);
  return text.length >= at + last.length && text.endsWith(last);
}
