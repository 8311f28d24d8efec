import { commandAnchors } from './commands.ts';
import { createFinder } from './finder.ts';
import { awaitedValue, nameAnchors } from './names.ts';
import type { Anchor, Look, Reading, Span } from './reading.ts';
import { shapeAnchors } from './shapes.ts';
import { urlAnchors } from './urls.ts';
import { partOf, REDACTED } from './values.ts';

/** The kernel side passes on 32 KiB of arguments at most; a backslash takes two characters. */
const CHARACTERS_MAX = 65_536;
/** More places than this that look like secrets are an attack on the agent's time. */
const LOOKS_MAX = 512;
const SCRIPT_OPTION = /^-[A-Za-z]*c$|^--command$/;
const REMOTE = /(?:^|\/)(?:ssh|watch|eval)$/;

/** Secrets that are redacted beyond those that the agent knows itself. */
export interface RedactOptions {
  /**
   * Names of options, variables, headers and fields, such as `pin` or `db-pin`; case and separators
   * do not matter.
   */
  readonly names?: readonly string[];
  /** Patterns of secrets, such as `acme_[A-Za-z0-9]{20,}`. */
  readonly patterns?: readonly string[];
}

/** Returns the arguments without secrets (the same array if there is none), and their number. */
export type Redact = (args: readonly string[]) => {
  readonly args: readonly string[];
  readonly redacted: number;
};

/**
 * Makes a function that replaces secrets in a command's arguments by `[redacted]`, in a time that
 * is linear in their length. Throws REDACTED_NAME_INVALID or REDACTED_PATTERN_INVALID for what
 * cannot be searched for safely.
 */
export function createRedactor({ names = [], patterns = [] }: RedactOptions = {}): Redact {
  const spansOf = createScanner([
    ...shapeAnchors(patterns),
    ...nameAnchors(names),
    ...urlAnchors(),
    ...commandAnchors(),
  ]);

  return (args) => {
    const reading = beginReading();
    let clean: string[] | undefined;
    let redacted = 0;
    let room = CHARACTERS_MAX;
    for (let index = 0; index < args.length; index++) {
      const given = args[index] ?? '';
      const text = given.length > room ? given.slice(0, room) : given;
      room -= text.length;
      reading.text = text;
      let spans = readAwaited(reading) ?? spansOf(beginArgument(reading, args, index));
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

function beginReading(): Reading {
  return {
    text: '',
    script: false,
    rules: [],
    awaited: undefined,
    quotesRead: 0,
    quote: '',
    looks: 0,
  };
}

function beginArgument(reading: Reading, args: readonly string[], index: number): Reading {
  reading.script =
    index > 0 &&
    (SCRIPT_OPTION.test(args[index - 1] ?? '') ||
      (REMOTE.test(args[0] ?? '') && reading.text.includes(' ')));
  reading.quotesRead = 0;
  reading.quote = '';
  return reading;
}

/** Reads an argument as the value of the option before it; undefined: there is no such option. */
function readAwaited(reading: Reading): Span[] | undefined {
  const { text, awaited } = reading;
  if (awaited === undefined) return undefined;
  reading.awaited = undefined;
  if ('after' in awaited) {
    const passed = awaited.passes.test(text);
    if (passed || awaited.after > 0) {
      reading.awaited = { ...awaited, after: awaited.after - (passed ? 0 : 1) };
      return undefined;
    }
  }
  const span =
    'name' in awaited
      ? awaitedValue(text, awaited.name)
      : partOf(text, 0, text.length, 'part' in awaited ? awaited.part : '');
  return span && [span];
}

function createScanner(anchors: readonly Anchor[]): (reading: Reading) => Span[] | undefined {
  const finder = createFinder<readonly [length: number, look: Look]>(
    anchors.map(([keyword, look]) => [keyword, [keyword.length, look]]),
  );

  function lookAt(reading: Reading, state: number, done: number): Span | undefined {
    for (const [length, look] of finder.found(state)) {
      const span = look(reading, finder.at - length, finder.at);
      if (span !== undefined && span.from >= done) return span;
    }
    return undefined;
  }

  return (reading) => {
    const { text } = reading;
    let spans: Span[] | undefined;
    let done = 0;
    let at = 0;
    for (let state = 0; ; ) {
      state = finder.find(text, at, state);
      if (state < 0) return spans;
      at = finder.at;
      const tired = reading.looks > LOOKS_MAX;
      const span = tired
        ? { from: Math.max(at, done), to: text.length }
        : lookAt(reading, state, done);
      if (span === undefined) continue;
      spans ??= [];
      spans.push(span);
      done = span.to;
      at = Math.max(at, span.to);
      state = 0;
    }
  };
}

function replaceSpans(text: string, spans: readonly Span[]): string {
  let clean = '';
  let at = 0;
  for (const { from, to } of spans) {
    clean += text.slice(at, from) + REDACTED;
    at = to;
  }
  return clean + text.slice(at);
}
