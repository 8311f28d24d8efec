import type { Anchor, Look, Reading } from '../reading.ts';
import type { SecretNames } from '../secret-names.ts';
import { type Command, createBook } from './book.ts';
import { RUNNERS, USAGES } from './usages.ts';
import { Walk } from './walk.ts';
import { type Words, wordsOf } from './words.ts';

/** Follows the usages of commands. */
export interface CommandReader {
  readonly anchors: readonly Anchor[];
  /** Reads the command that all arguments belong to, if its usage is known. */
  begin(reading: Reading, executable: string | undefined): void;
}

/** Subcommands that set a value by its name, whatever the command. */
const SETTERS = ['config', 'set', 'modify', 'set-env', 'setenv', 'config:set'];
const ANY: Command = { usages: [], runs: false, concerns: () => false };
/** shorter names are searched for with a space, since many words have them as a part */
const LENGTH_MIN = 5;
/**
 * Words beyond this number are not followed. Names and forms of secrets are still found in them.
 */
const WORDS_MAX = 1024;
/** what may stand before the name of a command */
const BEFORE = new Uint8Array(65_536);
for (const character of ' \t\n"\'`(;&|/\\') BEFORE[character.charCodeAt(0)] = 1;
const NAME = /[\w.:-]*/y;
const NAME_MAX = 128;
const END_OF_NAME = /[\w.-]+$/;
const DASH = '-'.charCodeAt(0);
/** Paths that are kept, and the length of one: others are looked up each time. */
const PATHS_MAX = 4096;
const PATH_LENGTH_MAX = 256;

/** Makes a reader of commands; `names` tells which settings are secret. */
export function createCommandReader(names: SecretNames): CommandReader {
  const isSecretName = (word: string) =>
    names.has(END_OF_NAME.exec(word.slice(-NAME_MAX))?.[0] ?? '');
  const book = createBook(USAGES, RUNNERS);
  const byPath = new Map<string, Command | undefined>();

  /** Finds a command by its path. Executables recur as the same strings. */
  function commandAt(path: string): Command | undefined {
    if (path.length > PATH_LENGTH_MAX) return book.commandOf(path);
    const known = byPath.get(path);
    if (known !== undefined || byPath.has(path)) return known;
    if (byPath.size >= PATHS_MAX) byPath.clear();
    const command = book.commandOf(path);
    byPath.set(path, command);
    return command;
  }

  function walkArguments(reading: Reading, index: number, command: Command): void {
    const { args } = reading;
    const walk = new Walk(book, isSecretName, command);
    const end = Math.min(args.length, index + WORDS_MAX - reading.words);
    for (let at = index; at < end; at++) walk.read(args[at] ?? '');
    reading.words += args.length - index;
    reading.unknown = command.usages.length === 0;
    for (const { word, from, to } of walk.end())
      walkedAt(reading, index + word).spans.push({ from, to });
    for (const word of walk.exempt) walkedAt(reading, index + word).exempt = true;
    reading.walkedArgs = args.length;
  }

  function walkText(reading: Reading, { places, end }: Words, command: Command): void {
    const { text } = reading;
    const walk = new Walk(book, isSecretName, command);
    for (const { from, to } of places) walk.read(text.slice(from, to));
    for (const { word, from, to } of walk.end()) {
      const start = places[word]?.from ?? 0;
      reading.spans.push({ from: start + from, to: start + to });
    }
    for (const word of walk.exempt) reading.exempt.push(places[word] ?? { from: 0, to: 0 });
    reading.walkedText = end;
    reading.words += places.length + 1;
  }

  /** Looks at the name of a command, or at a subcommand, which is read as its first word. */
  function lookFor(isSubcommand: boolean): Look {
    return (reading, from, to) => {
      const { text, index } = reading;
      if (from > 0 && BEFORE[text.charCodeAt(from - 1)] !== 1) return undefined;
      NAME.lastIndex = from;
      NAME.test(text);
      const end = NAME.lastIndex;
      if (end < text.length && !/[\s"']/.test(text[end] ?? '')) return undefined;
      // `settings`, and `set -e` of a shell
      if (isSubcommand && (end > to || /[-+]/.test(text[end + 1] ?? ''))) return undefined;
      const isArgument = end === text.length && !/\s/.test(text);
      if (isArgument ? index < reading.walkedArgs : from < reading.walkedText) return undefined;
      if (isArgument && isValue(reading)) return undefined;
      if (reading.words >= WORDS_MAX) return undefined;
      const command = isSubcommand ? ANY : book.commandOf(text.slice(from, end));
      if (command === undefined) return undefined;
      const first = isSubcommand ? 0 : 1;
      if (isArgument) walkArguments(reading, index + first, command);
      else walkText(reading, wordsOf(reading, isSubcommand ? from : end, WORDS_MAX), command);
      return undefined;
    };
  }

  const command = lookFor(false);
  const subcommand = lookFor(true);
  const keywords = book.names.map((name) => (name.length < LENGTH_MIN ? `${name} ` : name));
  return {
    anchors: [
      ...keywords.map((name): Anchor => [name, command]),
      ...[...new Set([...SETTERS, ...book.subcommands])].map((name): Anchor => [name, subcommand]),
    ],
    begin(reading, executable) {
      const { args } = reading;
      const found =
        executable === undefined ? book.commandOf(args[0] ?? '') : commandAt(executable);
      if (found === undefined) return;
      reading.runs = found.runs;
      reading.walkedArgs = 1;
      if (found.concerns(args) || (found.runs && hasShortName(args)))
        walkArguments(reading, 1, found);
    },
  };
}

/** Whether an argument may be the name of a command that is not searched for without a space. */
function hasShortName(args: readonly string[]): boolean {
  for (let at = 1; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg.charCodeAt(0) === DASH) continue;
    if (arg.length < LENGTH_MIN || arg.length - arg.lastIndexOf('/') <= LENGTH_MIN) return true;
  }
  return false;
}

/** Whether an argument is probably the value of the option before it, as in `--name mysql`. */
function isValue({ args, index, runs }: Reading): boolean {
  if (runs) return false;
  const before = args[index - 1] ?? '';
  return before.startsWith('-') && before !== '--' && !before.includes('=');
}

function walkedAt({ walked }: Reading, index: number) {
  const known = walked[index];
  if (known !== undefined) return known;
  const made = { spans: [], exempt: false };
  walked[index] = made;
  return made;
}
