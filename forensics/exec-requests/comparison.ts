import { textOf } from '../../record/kernel-text.ts';
import { createRedactor, type Redact } from '../../redact/redactor.ts';
import { REDACTED } from '../../redact/values.ts';
import type { ExecRequest } from './exec-request.ts';

/** A request's command beside that of a record. */
export interface Comparison {
  /** Whether they are the same, as far as nothing is redacted. */
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
  ran: readonly string[],
  executable: string | undefined,
): Comparison {
  const recorded = redact(ran, executable).args;
  const isRedacted = recorded.some((word) => word.includes(REDACTED));
  if (command === undefined) return { isSame: false, isRedacted, command };
  if (typeof command !== 'string') {
    const words = redact(command.map(asRecorded), executable).args;
    const isSame =
      words.length === recorded.length && recorded.every((word, n) => fits(word, words[n] ?? ''));
    return { isSame, isRedacted, command: words };
  }
  const text = asRecorded(command);
  const isSame = fits(recorded.join(' '), text);
  return { isSame, isRedacted, command: redact(['sh', '-c', text]).args[2] ?? '' };
}

let redactor: Redact | undefined;

/** Makes the redactor when it is needed, because few runs read an audit log. */
const redact: Redact = (args, executable) => {
  redactor ??= createRedactor();
  return redactor(args, executable);
};

function asRecorded(text: string): string {
  const bytes = Buffer.from(text);
  return textOf(bytes, 0, bytes.length);
}

/** Whether a text is what was recorded, with anything in the place of its redacted parts. */
function fits(recorded: string, text: string): boolean {
  const [first = '', ...others] = recorded.split(REDACTED);
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length >= at + last.length && text.endsWith(last);
}
