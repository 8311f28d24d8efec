import { AUTHORITY } from '../../record/fields/authority.ts';
import { CHECKPOINT } from '../../record/fields/checkpoint.ts';
import { CONTEXT } from '../../record/fields/context.ts';
import { CORE } from '../../record/fields/core.ts';
import { ENVIRONMENT } from '../../record/fields/environment.ts';
import { NUMBERS, PLACE, PROCESS } from '../../record/fields/exec.ts';
import { EXECUTABLE } from '../../record/fields/executable.ts';
import type { Field, FieldType } from '../../record/fields/field.ts';
import { GAP } from '../../record/fields/gap.ts';
import { INVOCATION } from '../../record/fields/invocation.ts';
import { LOSS, START, STOP, WITHHELD } from '../../record/fields/journal.ts';
import { RESOURCE } from '../../record/fields/resource.ts';
import { columnOf } from '../../record/fields.ts';
import { header, row } from './rows.ts';

/** The tables of docs/record.md that are made from the declared fields. */
export const FIELD_TABLES: Readonly<Record<string, () => string>> = {
  'core fields': coreFields,
  'attributes of a gap': () => attributes(GAP),
  'attributes of a loss': () => attributes(LOSS),
  'attributes of every record': () => attributes(NUMBERS),
  'attributes of a start': () => attributes(START),
  'attributes of a checkpoint': () => attributes(CHECKPOINT),
  'attributes of a stop': () => attributes(STOP),
  'attributes of a report of withheld records': () => attributes(WITHHELD),
  'attributes of an exec': () =>
    attributes({
      ...PROCESS,
      ...ENVIRONMENT,
      ...EXECUTABLE,
      ...INVOCATION,
      ...CONTEXT,
      ...PLACE,
      ...AUTHORITY,
    }),
  'resource attributes': resourceAttributes,
};

const TYPES: Readonly<Record<FieldType, string>> = {
  string: 'string',
  integer: 'integer',
  flag: 'flag',
  strings: 'array of strings',
  integers: 'array of integers',
  decimal: 'decimal string',
  nanoseconds: 'decimal string',
  time: 'RFC 3339 string',
};

function coreFields(): string {
  const rows = Object.values<(typeof CORE)[keyof typeof CORE]>(CORE).map(
    ({ key, parent, type, when, about }) =>
      row(`\`${parent === 'actor' ? 'actor.' : ''}${key}\``, TYPES[type], when, about),
  );
  return `${header('Field', 'Type', 'Present', 'Meaning')}${rows.join('')}`;
}

function attributes(fields: Readonly<Record<string, Field>>): string {
  const rows = Object.entries(fields).map(([name, { key, type, when, about }]) =>
    row(`\`${key}\``, `\`${columnOf(name)}\``, TYPES[type], when, about),
  );
  return `${header('Attribute', 'Column', 'Type', 'Present', 'Meaning')}${rows.join('')}`;
}

function resourceAttributes(): string {
  const rows = Object.values<Field>(RESOURCE).map(({ key, type, when, about }) =>
    row(`\`${key}\``, TYPES[type], when, about),
  );
  return `${header('Attribute', 'Type', 'Present', 'Meaning')}${rows.join('')}`;
}
