import type { Part } from '../reading.ts';
import { WHOLE } from '../values.ts';

/** What a usage line expects in the place of an operand. */
export type Operand =
  | { readonly kind: 'any' | 'one' }
  | { readonly kind: 'word'; readonly form: RegExp; readonly words: readonly string[] | undefined }
  | { readonly kind: 'secret'; readonly part: Part };

/** The secret part of a value. `name`: it is the name of a secret; `other`: anything else. */
export type Value = Part | 'name' | 'other';

/** An option of a command. */
export interface Option {
  /** how many operands of the usage line come before it */
  readonly after: number;
  /** its values; none: it is a flag */
  readonly values: readonly Value[];
}

/** How a command is called, as far as it matters for secrets. */
export interface Usage {
  readonly operands: readonly Operand[];
  readonly options: ReadonlyMap<string, Option>;
  /** Options with their value in the same word, as in `-pX` and `/p:X`. */
  readonly attached: readonly (readonly [prefix: string, part: Part])[];
  /** Options of one letter behind letters of flags, as in `-sSu NAME:X`. */
  readonly clusters: readonly (readonly [flags: RegExp, option: string])[];
  /** flags without which the operands are no secrets */
  readonly needs: readonly string[];
}

/** A usage line, and the names of the commands that it is for; `mysql*` begins other names. */
export interface NamedUsage {
  readonly names: readonly string[];
  readonly usage: Usage;
}

/**
 * Reads a usage line such as `htpasswd|other -b --user=USER:X FILE ... X`:
 *
 * - `X` is a secret; in `USER:X` and `USER/X@DB` it is a part of a word.
 * - Other words in capitals are values that are no secrets; `NAME` may look like one. `...` is any number of them.
 * - Words in small letters are meant literally, with `*` for any text and `|` for alternatives.
 * - `-p=X` is an option with the next word (or the text after `=`) as its value; `--encrypt=X+X` has two; `-pX` is one an option
 *   with the value in the same word, and `-[abc]p=X` one that may stand behind other letters.
 * - An option counts only behind the operands that come before it in the line. A flag of a line
 *   with secret operands must be there; other flags and options with other values are declared so
 *   that they are not taken for secrets.
 */
export function parseUsage(line: string): NamedUsage {
  const [names = '', ...words] = line.split(' ');
  const operands: Operand[] = [];
  const options = new Map<string, Option>();
  const attached: [string, Part][] = [];
  const clusters: [RegExp, string][] = [];
  for (const word of words) {
    if (/^[-/+]/.test(word)) addOption(word);
    else operands.push(operandOf(word));
  }
  const secret = operands.some(({ kind }) => kind === 'secret');
  const flags = [...options].filter(([, { values }]) => values.length === 0);
  const needs = secret ? flags.map(([name]) => name) : [];
  return { names: names.split('|'), usage: { operands, options, attached, clusters, needs } };

  function addOption(word: string): void {
    const [, letters, given = '', sign, values = ''] = OPTION.exec(word) ?? [];
    const name = letters === undefined ? given : `-${given}`;
    if (sign === undefined && name.endsWith('X')) {
      attached.push([name.slice(0, -1), WHOLE]);
      return;
    }
    if (letters !== undefined) clusters.push([new RegExp(`^-[${letters}]*${given}`), name]);
    const parts = sign === undefined ? [] : values.split('+').map(readValue);
    const after = operands.at(-1)?.kind === 'any' ? operands.length - 1 : operands.length;
    options.set(name, { after, values: parts });
  }
}

const OPTION = /^(?:-\[(.+)\])?([^=]+)(?:(=)(.*))?$/;
const SECRET = /^([^A-Z]*)(?:[A-Z]+([^A-Z]))?X(?:([^A-Z])[A-Z]+)?$/;

function operandOf(word: string): Operand {
  if (word === '...') return { kind: 'any' };
  const part = partOfValue(word);
  if (part !== undefined) return { kind: 'secret', part };
  if (/^[A-Z]+$/.test(word)) return { kind: 'one' };
  const form = word.replaceAll(/[.+?^$(){}[\]\\]/g, '\\$&').replaceAll('*', '.*');
  const words = word.includes('*') ? undefined : word.split('|');
  return { kind: 'word', form: new RegExp(`^(?:${form})$`, 'i'), words };
}

function readValue(value: string): Value {
  return partOfValue(value) ?? (value === 'NAME' ? 'name' : 'other');
}

function partOfValue(value: string): Part | undefined {
  const [all, prefix = '', before = '', after = ''] = SECRET.exec(value) ?? [];
  return all === undefined ? undefined : { prefix, before, after };
}
