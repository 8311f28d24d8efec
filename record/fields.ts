/**
 * Every attribute of the record, declared once in `fields/`. The writer, the export, its rules, the
 * reader's columns and the tables of docs/record.md are derived from the declarations.
 */

import { AUTHORITY } from './fields/authority.ts';
import { CHECKPOINT } from './fields/checkpoint.ts';
import { CONTEXT } from './fields/context.ts';
import { ENVIRONMENT } from './fields/environment.ts';
import { NUMBERS, PLACE, PROCESS } from './fields/exec.ts';
import { EXECUTABLE } from './fields/executable.ts';
import type { Field } from './fields/field.ts';
import { GAP } from './fields/gap.ts';
import { INVOCATION } from './fields/invocation.ts';
import { LOSS, START, STOP, WITHHELD } from './fields/journal.ts';
import { RESOURCE } from './fields/resource.ts';

/** All attributes by name. */
export const ATTRIBUTES = {
  ...NUMBERS,
  ...GAP,
  ...LOSS,
  ...START,
  ...STOP,
  ...WITHHELD,
  ...CHECKPOINT,
  ...PROCESS,
  ...ENVIRONMENT,
  ...EXECUTABLE,
  ...INVOCATION,
  ...CONTEXT,
  ...PLACE,
  ...AUTHORITY,
} as const satisfies Readonly<Record<string, Field>>;

/** The keys of attributes and of the resource, by name. */
export const KEYS = keysOf({ ...ATTRIBUTES, ...RESOURCE });

/**
 * A declared key. A file that imports only this type does not contain the texts of the
 * declarations.
 */
export type Key = (typeof KEYS)[keyof typeof KEYS];

function keysOf<Fields extends Readonly<Record<string, Field>>>(
  fields: Fields,
): { readonly [Name in keyof Fields]: Fields[Name]['key'] } {
  const keys = Object.entries(fields).map(([name, { key }]) => [name, key]);
  return Object.fromEntries(keys);
}

/** Returns the column of a field in a reader's table: its name in lower case with underscores. */
export function columnOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
