import type { Part, Span } from '../reading.ts';
import { looksLikeOption, partOf, WHOLE } from '../values.ts';
import type { Command, CommandBook } from './book.ts';
import type { Option, Usage, Value } from './usage.ts';

/** A secret in a word of a command. */
export interface WordSpan extends Span {
  /** the place of the word among those that were read */
  readonly word: number;
}

/** Says whether a word is the name of a setting whose value is secret. */
export type IsSecretName = (word: string) => boolean;

/** How far a usage line matches. */
interface Progress {
  readonly usage: Usage;
  /** the operand that comes next; -1: the line does not match */
  at: number;
}

const FLAGS = /^-[A-Za-z\d]{1,8}$/;
const ASSIGNMENT = /^[a-z_]+=/;
/** Subcommands that set a named value, and those that do not. */
const SETTER = /^(?:config|set|put|write|modify|set-?env|config(?::\w+)?:set)$/i;
const GETTER = /^(?:get|show|list|ls|unset|delete|remove|rm|edit)$/i;
/** words of SQL in the place of a value */
const PARTICLE = /^(?:=|for|from|to|is)$/i;

/** Reads the words of a command, one after the other, and finds those that its usage makes secret. */
export class Walk {
  /** Places of options and values whose names say nothing about a secret here. */
  readonly exempt: number[] = [];
  readonly #book: CommandBook;
  readonly #isSecretName: IsSecretName;
  readonly #found: { readonly span: WordSpan; readonly needs: readonly string[] }[] = [];
  readonly #flags = new Set<string>();
  #active: Progress[] = [];
  #runs = false;
  /** Whether it may be a user's name that was taken for a command, as in `sudo -u redis redis-cli`. */
  #doubtful = false;
  #behindDashes = false;
  #word = -1;
  /** the values that an option still awaits, with the secret parts of each */
  #awaited: readonly Value[] = [];
  #setting: 'none' | 'name' | 'value' = 'none';

  constructor(book: CommandBook, isSecretName: IsSecretName, command: Command) {
    this.#book = book;
    this.#isSecretName = isSecretName;
    this.#begin(command, false);
  }

  /** Reads the next word. */
  read(word: string): void {
    this.#word += 1;
    const [value] = this.#awaited;
    if (value !== undefined && !looksLikeOption(word, 0, word.length)) {
      this.#awaited = this.#awaited.slice(1);
      this.#takeValue(word, 0, value);
      return;
    }
    this.#awaited = [];
    if (word === '--') this.#behindDashes = true;
    else if (!this.#readOption(word)) this.#readOperand(word);
  }

  /** Returns what was found, in the order of the words. */
  end(): WordSpan[] {
    const given = (name: string) => this.#flags.has(name);
    return this.#found.filter(({ needs }) => needs.every(given)).map(({ span }) => span);
  }

  #begin({ usages, runs }: Command, doubtful: boolean): void {
    this.#active = usages.map((usage) => ({ usage, at: 0 }));
    this.#runs = runs;
    this.#doubtful = doubtful;
    this.#setting = 'none';
    this.#behindDashes = false;
  }

  /** Reads an option; false: the word is an operand. */
  #readOption(word: string): boolean {
    if (!/^[-+/]/.test(word) || word === '-') return false;
    const sign = word.indexOf('=');
    const name = sign < 0 ? word : word.slice(0, sign);
    const option = this.#optionOf(name);
    if (option !== undefined) this.#takeOption(word, name, option.values);
    else if (!this.#readAttached(word)) {
      if (!word.startsWith('-')) return false;
      this.#addFlags(word);
    }
    if (this.#setting === 'value') this.#setting = 'name';
    return true;
  }

  /** The option of this name that counts here; that of a subcommand hides the command's own. */
  #optionOf(name: string): Option | undefined {
    let found: Option | undefined;
    for (const { usage, at } of this.#active) {
      const option = usage.options.get(name);
      if (option !== undefined && at >= option.after && option.after >= (found?.after ?? 0))
        found = option;
    }
    return found;
  }

  /** Reads an option with a value in the same word, or behind letters of flags. */
  #readAttached(word: string): boolean {
    for (const { usage, at } of this.#active) {
      if (at < 0) continue;
      for (const [prefix, part] of usage.attached)
        if (word.startsWith(prefix) && word.length > prefix.length) {
          this.#take(word, prefix.length, part, []);
          this.exempt.push(this.#word);
          return true;
        }
      for (const [flags, name] of usage.clusters) {
        const length = flags.exec(word)?.[0].length ?? 0;
        if (length === 0) continue;
        this.#addFlags(word.slice(0, length));
        this.#takeClustered(word, length, usage.options.get(name)?.values ?? []);
        return true;
      }
    }
    return false;
  }

  #addFlags(word: string): void {
    this.#flags.add(word);
    if (FLAGS.test(word)) for (const letter of word.slice(1)) this.#flags.add(`-${letter}`);
  }

  #takeOption(word: string, name: string, values: readonly Value[]): void {
    const [value] = values;
    this.#flags.add(name);
    // `--password` alone is a flag where `--password=X` is none.
    if (typeof value === 'string' || (value === undefined && name === word))
      this.exempt.push(this.#word);
    if (name === word) this.#awaited = values;
    else this.#takeValue(word, name.length + 1, value);
  }

  #takeClustered(word: string, length: number, values: readonly Value[]): void {
    if (length === word.length) this.#awaited = values;
    else this.#takeValue(word, word[length] === '=' ? length + 1 : length, values[0]);
  }

  #takeValue(word: string, from: number, value: Value | undefined): void {
    if (value === 'name') this.exempt.push(this.#word);
    else if (value !== undefined && value !== 'other') this.#take(word, from, value, []);
  }

  #readOperand(word: string): void {
    const mayBegin = this.#runs || this.#behindDashes || (this.#doubtful && !word.includes('/'));
    const command = mayBegin ? this.#book.commandOf(word) : undefined;
    if (command !== undefined) {
      this.#begin(command, true);
      return;
    }
    this.#doubtful = false;
    this.#readSetting(word);
    for (const progress of this.#active) this.#advance(progress, word);
    const usages = this.#book.subcommandOf(word.toLowerCase());
    for (const usage of usages ?? []) this.#beginSubcommand(usage);
  }

  /** Follows the usage of a subcommand; each only once, however often its name comes. */
  #beginSubcommand(usage: Usage): void {
    const known = this.#active.find((progress) => progress.usage === usage);
    if (known === undefined) this.#active.push({ usage, at: 1 });
    else known.at = 1;
  }

  #advance(progress: Progress, word: string): void {
    const operand = progress.usage.operands[progress.at];
    if (operand === undefined) return;
    if (operand.kind === 'any') {
      this.#seek(progress, word);
      return;
    }
    if (operand.kind === 'word' && !operand.form.test(word)) {
      progress.at = -1;
      return;
    }
    progress.at += 1;
    if (operand.kind === 'secret') this.#takeOperand(word, operand.part, progress);
  }

  /** Reads a word in the place of `...`. */
  #seek(progress: Progress, word: string): void {
    const { operands } = progress.usage;
    const next = operands[progress.at + 1];
    if (next?.kind === 'word') {
      if (next.form.test(word)) progress.at += 2;
      return;
    }
    const secret = next ?? operands[progress.at - 1];
    if (secret?.kind === 'secret') this.#takeOperand(word, secret.part, progress);
  }

  #takeOperand(word: string, part: Part, progress: Progress): void {
    const { operands, needs } = progress.usage;
    const { prefix, before } = part;
    if (prefix + before !== '' || !ASSIGNMENT.test(word)) this.#take(word, 0, part, needs);
    // `... password X` may come again.
    if (progress.at === operands.length && operands[0]?.kind === 'any') progress.at = 0;
  }

  /** Reads the names and values of a command that sets some, unless its usage names them. */
  #readSetting(word: string): void {
    if (this.#active.some(({ usage }) => usage.operands[0]?.kind === 'any')) return;
    if (this.#setting === 'value' && !PARTICLE.test(word)) {
      this.#take(word, 0, WHOLE, []);
      this.#setting = 'name';
    } else if (SETTER.test(word)) this.#setting = 'name';
    else if (GETTER.test(word) || this.#setting === 'none') this.#setting = 'none';
    else this.#setting = this.#isSecretName(word) ? 'value' : 'name';
  }

  #take(word: string, from: number, part: Part, needs: readonly string[]): void {
    const span = partOf(word, from, word.length, part);
    if (span !== undefined) this.#found.push({ span: { ...span, word: this.#word }, needs });
  }
}
