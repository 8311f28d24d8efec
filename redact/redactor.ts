import { beginArgument, createReading, restart } from './begin-reading.ts';
import { createCommandReader } from './commands/look.ts';
import { pipeAnchors } from './commands/pipes.ts';
import { userAnchors } from './commands/users.ts';
import { checkPattern, shapeAnchors } from './forms/shapes.ts';
import { sqlAnchors } from './forms/sql.ts';
import { urlAnchors } from './forms/urls.ts';
import { awaitedValue, nameAnchors } from './names.ts';
import type { Reading, Span } from './reading.ts';
import { createScanner, LOOKS_MAX } from './scanner.ts';
import { createSecretNames } from './secret-names.ts';
import { merged, replaceSpans } from './spans.ts';
import { partOf } from './values.ts';

/** The kernel side passes on 32 KiB of arguments at most; a backslash takes two characters. */
const CHARACTERS_MAX = 65_536;

/** Secrets that are redacted beyond those that the agent knows itself. */
export interface RedactOptions {
  /**
   * Names of options, variables, headers and fields, such as `gate` or `door-code`; case and separators
   * do not matter.
   */
  readonly names?: readonly string[];
  /** Patterns of secrets, such as `acme_[A-Za-z0-9]{20,}`. */
  readonly patterns?: readonly string[];
}

/**
 * Returns the arguments without secrets (the same array if there is none), and their number. The
 * path of the executable tells which command it is where the first argument does not.
 */
export type Redact = (
  args: readonly string[],
  executable?: string,
) => {
  readonly args: readonly string[];
  readonly redacted: number;
};

/** Throws a Refusal for what cannot be searched for safely; that is faster than a redactor of it. */
export function checkRedaction({ names = [], patterns = [] }: RedactOptions): void {
  createSecretNames(names);
  for (const pattern of patterns) checkPattern(pattern);
}

/**
 * Makes a function that replaces secrets in a command's arguments by `[redacted]`, in a time that
 * is linear in their length. Throws a Refusal for what cannot be searched for safely.
 */
export function createRedactor({ names = [], patterns = [] }: RedactOptions = {}): Redact {
  const secretNames = createSecretNames(names);
  const commands = createCommandReader(secretNames);
  const shapes = shapeAnchors(patterns);
  const formsOf = createScanner(shapes);
  const spansOf = createScanner([
    ...shapes,
    ...nameAnchors(secretNames),
    ...urlAnchors(),
    ...sqlAnchors(),
    ...userAnchors(),
    ...commands.anchors,
    ...pipeAnchors(),
  ]);

  const reading = createReading();

  /** Adds secrets that show by their form, because a span may end the look at what is before it. */
  function withForms(spans: readonly Span[]): readonly Span[] {
    const isNew = (form: Span) =>
      !spans.some(({ from, to }) => from <= form.from && form.from < to);
    const forms = formsOf(reading)?.filter(isNew) ?? [];
    return forms.length === 0 ? spans : merged([...spans, ...forms]);
  }

  return (args, executable) => {
    restart(reading, args);
    let clean: string[] | undefined;
    let redacted = 0;
    let room = CHARACTERS_MAX;
    commands.begin(reading, executable);
    for (let index = 0; index < args.length; index++) {
      const given = args[index] ?? '';
      const text = given.length > room ? given.slice(0, room) : given;
      room -= text.length;
      beginArgument(reading, index, text);
      let spans: readonly Span[] | undefined = readAwaited(reading) ?? spansOf(reading);
      if (spans !== undefined) spans = withForms(spans);
      if (reading.spans.length > 0) spans = merged([...(spans ?? []), ...reading.spans]);
      if (text !== given) spans = [...(spans ?? []), { from: text.length, to: text.length }];
      if (spans === undefined) continue;
      clean ??= [...args];
      clean[index] = replaceSpans(text, spans);
      redacted += spans.length;
      if (reading.looks > LOOKS_MAX) room = 0;
    }
    return { args: clean ?? args, redacted };
  };
}

/** Reads an argument as the value of the option before it; undefined: there is no such option. */
function readAwaited(reading: Reading): Span[] | undefined {
  const { text, awaited } = reading;
  if (awaited === undefined) return undefined;
  reading.awaited = undefined;
  const span =
    'name' in awaited
      ? awaitedValue(text, awaited.name)
      : partOf(text, 0, text.length, awaited.part);
  return span && [span];
}
