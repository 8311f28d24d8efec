import { type Concerns, concernsOf } from './concern.ts';
import { parseUsage, type Usage } from './usage.ts';

/** A command whose operands and options are known. */
export interface Command {
  readonly usages: readonly Usage[];
  /** Whether its operands may be another command. */
  readonly runs: boolean;
  readonly concerns: Concerns;
}

/** Finds commands by their names. */
export interface CommandBook {
  /** The names that a text is searched for. */
  readonly names: readonly string[];
  /** subcommands that mean the same in any command */
  readonly subcommands: readonly string[];
  /** The command that a word names, wherever it lies. */
  commandOf(word: string): Command | undefined;
  /** What a subcommand means whatever the command, such as `login`. */
  subcommandOf(word: string): readonly Usage[] | undefined;
}

const LENGTH_MAX = 64;
/** names of families that are kept, such as `mysqldump` */
const COMMANDS_MAX = 512;
const SUFFIX = /\.(?:exe|jar|py|sh|pl|rb|cmd|bat|bin)$/;
const VERSION = /-?[\d.]+$/;

/** Makes a book of usage lines, and of commands that run others. */
export function createBook(lines: readonly string[], runners: readonly string[]): CommandBook {
  const exact = new Map<string, Usage[]>();
  const families = new Map<string, Usage[]>();
  const subcommands = new Map<string, Usage[]>();
  for (const { names, usage } of lines.map(parseUsage))
    for (const name of names) {
      if (name === '*') addSubcommand(usage);
      else if (name.endsWith('*')) add(families, name.slice(0, -1), usage);
      else add(exact, name, usage);
    }
  const family = new RegExp(`^(?:${[...families.keys()].join('|')})`);
  const running = new Set(runners);
  const commands = new Map(
    [...exact.keys(), ...runners]
      .filter((name) => !family.test(name))
      .map((name) => [name, commandFor(exact.get(name) ?? [], running.has(name))]),
  );

  function addSubcommand(usage: Usage): void {
    const [first] = usage.operands;
    if (first?.kind === 'word') for (const word of first.words ?? []) add(subcommands, word, usage);
  }

  function named(name: string): Command | undefined {
    const known = commands.get(name);
    if (known !== undefined || !family.test(name)) return known;
    const shared = [...families].filter(([prefix]) => name.startsWith(prefix));
    const usages = [...(exact.get(name) ?? []), ...shared.flatMap(([, lines]) => lines)];
    const command = commandFor(usages, running.has(name));
    if (commands.size < COMMANDS_MAX) commands.set(name, command);
    return command;
  }

  return {
    names: [...exact.keys(), ...families.keys()],
    subcommands: [...subcommands.keys()],
    subcommandOf: (word) => subcommands.get(word),
    commandOf(word) {
      const from = Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\')) + 1;
      if (word.length - from > LENGTH_MAX) return undefined;
      const name = word.slice(from).toLowerCase().replace(SUFFIX, '');
      return named(name) ?? (VERSION.test(name) ? named(name.replace(VERSION, '')) : undefined);
    },
  };
}

function commandFor(usages: readonly Usage[], runs: boolean): Command {
  return { usages, runs, concerns: concernsOf(usages) };
}

function add(map: Map<string, Usage[]>, name: string, usage: Usage): void {
  const usages = map.get(name);
  if (usages === undefined) map.set(name, [usage]);
  else usages.push(usage);
}
