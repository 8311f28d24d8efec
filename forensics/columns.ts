/** The columns of the view `records`, with the place of each in a line and its SQL type. */

import { CORE } from '../record/fields/core.ts';
import type { Field, FieldType } from '../record/fields/field.ts';
import { ATTRIBUTES, columnOf, KEYS } from '../record/fields.ts';
import { placeColumns } from './place-columns.ts';

type Parent = 'line' | 'actor' | 'attributes';

interface Column {
  readonly column: string;
  readonly parent: Parent;
  readonly key: string;
  readonly type: string;
}

const SQL_TYPES: Readonly<Record<FieldType, string>> = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  flag: 'BOOLEAN',
  strings: 'VARCHAR[]',
  integers: 'BIGINT[]',
  decimal: 'VARCHAR',
  nanoseconds: 'BIGINT',
  time: 'VARCHAR',
};

/** The columns with the value of a line as it is: every core field and every attribute. */
const READ: readonly Column[] = [
  ...Object.entries(CORE).map(([name, field]) => columnFor(name, field, field.parent)),
  ...Object.entries(ATTRIBUTES).map(([name, field]) => columnFor(name, field, 'attributes')),
];

function columnFor(name: string, { key, type }: Field, parent: Parent): Column {
  return { column: columnOf(name), parent, key, type: SQL_TYPES[type] };
}

/** The node of a record; where the agent does not know it, the host. */
export const NODE = `coalesce(${inResource(KEYS.nodeName)}, ${inResource(KEYS.hostName)})`;

/** The columns that are derived from the fields and from the map `resource`. */
const DERIVED: Readonly<Record<string, string>> = {
  time: timeSql('"timestamp"'),
  host: inResource(KEYS.hostName),
  node: NODE,
  ...placeColumns({ inResource, behind: (prefix, text) => `${prefix} || ${text}` }),
  resource: 'resource',
};

/** The columns that follow from the resource alone. */
export const OF_RESOURCE: readonly string[] = Object.keys(DERIVED).filter(
  (name) => name !== 'time',
);

/** Every column of `records` in order, without `file`. */
export const COLUMNS: readonly string[] = [
  ...READ.map(({ column }) => column),
  ...Object.keys(DERIVED),
];

const byColumn = new Map(READ.map((one) => [one.column, one]));

/**
 * Returns a SELECT of `file` and the columns from JSON lines, in the order of files and lines. It
 * has one row for every line that is not blank, with nulls if the line cannot be read, and reads
 * only the fields that it needs. `types` gives columns other SQL types.
 */
export function scanSql(
  paths: readonly string[],
  columns: readonly string[],
  types: Readonly<Record<string, string>> = {},
): string {
  const derived = columns.filter((column) => column in DERIVED);
  const needed = new Set(columns.filter((column) => byColumn.has(column)));
  if (derived.includes('time')) needed.add('timestamp');
  const read = structure(
    READ.filter(({ column }) => needed.has(column)).map((field) => ({
      ...field,
      type: types[field.column] ?? field.type,
    })),
  );
  if (derived.some((column) => column !== 'time'))
    read.push(`resource: '${types.resource ?? 'MAP(VARCHAR, VARCHAR)'}'`);
  const selected = columns.map((column) => `${expression(column, types)} AS "${column}"`);
  return (
    `SELECT ${['filename AS file', ...selected].join(', ')} FROM ` +
    `read_json([${paths.map(pathLiteral).join(', ')}], format = 'newline_delimited', ` +
    'ignore_errors = true, filename = true, hive_partitioning = false, ' +
    'maximum_object_size = 67108864, records = true, ' +
    `columns = {${read.join(', ')}})`
  );
}

function structure(columns: readonly Column[]): string[] {
  const inner = (parent: Parent) =>
    columns.filter((one) => one.parent === parent).map(({ key, type }) => `"${key}" ${type}`);
  const read = columns
    .filter(({ parent }) => parent === 'line')
    .map(({ key, type }) => `"${key}": '${type}'`);
  for (const parent of ['actor', 'attributes'] as const) {
    const members = inner(parent);
    if (members.length > 0) read.push(`${parent}: 'STRUCT(${members.join(', ')})'`);
  }
  return read;
}

function expression(column: string, types: Readonly<Record<string, string>>): string {
  const read = byColumn.get(column);
  if (read === undefined) return DERIVED[column] ?? 'NULL';
  const value = read.parent === 'line' ? `"${read.key}"` : `${read.parent}."${read.key}"`;
  return types[column] === 'JSON' ? `${value}::VARCHAR` : value;
}

/** Characters that need no escape in a list of globs. */
function pathLiteral(path: string): string {
  return literal(path.replaceAll(/[*?[]/g, '[$&]'));
}

/** Returns the SQL of the time at so many Unix nanoseconds; DuckDB cannot use its infinite ones. */
export function timeSql(nanoseconds: string): string {
  return (
    `CASE WHEN ${nanoseconds} BETWEEN -9223372036854775806 AND 9223372036854775806 ` +
    `THEN make_timestamp_ns(${nanoseconds}) END`
  );
}

/** Returns the SQL expression of an attribute of the resource. */
export function inResource(key: string): string {
  return `resource[${literal(key)}]`;
}

/** Returns a string as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
