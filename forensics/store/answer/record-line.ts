import { CORE, OTLP_KEYS } from '../../../record/fields/core.ts';
import { ENVIRONMENT, ENVIRONMENT_PREFIX } from '../../../record/fields/environment.ts';
import type { Field, FieldType } from '../../../record/fields/field.ts';
import { RESOURCE } from '../../../record/fields/resource.ts';
import { ATTRIBUTES, columnOf } from '../../../record/fields.ts';
import { escapeLineEnds, json, jsonStrings } from '../../../record/line/json-text.ts';
import { inOrder } from './resource-order.ts';

/** A row of `records` as JSON, with integers of 64 bits as texts. */
export type Row = Readonly<Record<string, unknown>> & {
  readonly node: string;
  readonly timestamp: string;
  readonly resource_json: string;
  /** what no column holds, as the exporter wrote it */
  readonly attributes: Readonly<Record<string, string>>;
};

/** The columns from which a line is made. */
export const LINE_COLUMNS: readonly string[] = [
  ...Object.keys({ ...CORE, ...ATTRIBUTES }).map(columnOf),
  'node',
  'resource_json',
  'attributes',
];

/**
 * Returns the journal's line from which a row was made. The type of an attribute that this version
 * does not know is lost: it becomes a string, and stands behind the others.
 */
export function lineOf(row: Row): string {
  const core = (name: keyof typeof CORE) => {
    const key = name in OTLP_KEYS ? OTLP_KEYS[name as keyof typeof OTLP_KEYS] : CORE[name].key;
    return textOf(name, CORE[name].type, row, key);
  };
  const actor = (['pid', 'ppid', 'uid', 'gid', 'comm'] as const).map(
    (name) => [CORE[name].key, core(name)] as const,
  );
  const named = Object.entries(ATTRIBUTES).flatMap(([name, { key, type }]) => {
    const one = [key, textOf(name, type, row, key)] as const;
    return key === ENVIRONMENT.environmentTruncated.key ? [one, ...variablesOf(row)] : [one];
  });
  return objectText([
    [CORE.id.key, core('id')],
    [CORE.timestamp.key, row.timestamp],
    ['actor', objectText(actor)],
    [CORE.action.key, core('action')],
    [CORE.object.key, core('object')],
    [CORE.permittedBy.key, core('permittedBy')],
    [CORE.parentCause.key, core('parentCause') ?? 'null'],
    ['resource', resourceText(row.resource_json)],
    ['attributes', objectText([...named, ...unknownOf(row)])],
  ]);
}

const RESOURCE_TYPES = new Map(
  Object.values<Field>(RESOURCE).map(({ key, type }) => [key, type] as const),
);
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values<string>(OTLP_KEYS),
  ...Object.values<Field>(ATTRIBUTES).map(({ key }) => key),
]);

/** Returns a value as JSON; undefined: it is absent. The map has what the column cannot hold. */
function textOf(name: string, type: FieldType, row: Row, key: string): string | undefined {
  const raw = row.attributes[key];
  if (raw !== undefined) return rawText(raw, type);
  const value = row[columnOf(name)];
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : arrayText(value, type);
  return type === 'integer' || type === 'flag' ? `${value}` : json(`${value}`);
}

function arrayText(values: readonly unknown[], type: FieldType): string {
  return type === 'integers' ? `[${values.join(',')}]` : jsonStrings(values as readonly string[]);
}

/** The variables of the environment, which a line has in the order of their names. */
function variablesOf({ attributes }: Row): (readonly [string, string])[] {
  return Object.entries(attributes)
    .filter(([key]) => key.startsWith(ENVIRONMENT_PREFIX))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, raw]) => [key, json(raw)]);
}

function unknownOf({ attributes }: Row): (readonly [string, string])[] {
  return Object.entries(attributes)
    .filter(([key]) => !KNOWN.has(key) && !key.startsWith(ENVIRONMENT_PREFIX))
    .map(([key, raw]) => [key, json(raw)]);
}

function resourceText(text: string): string {
  const members = Object.entries(JSON.parse(text) as Readonly<Record<string, string>>);
  return objectText(
    inOrder(members).map(([key, raw]) => [key, rawText(raw, RESOURCE_TYPES.get(key) ?? 'string')]),
  );
}

/** Returns a text of the exporter as JSON of its type, or else as a string. */
function rawText(raw: string, type: FieldType): string {
  const isExact =
    (type === 'integer' && /^(0|-?[1-9]\d*)$/.test(raw)) ||
    (type === 'flag' && /^(true|false)$/.test(raw));
  if (isExact) return raw;
  if (type !== 'strings' && type !== 'integers') return json(raw);
  try {
    const value: unknown = JSON.parse(raw);
    return Array.isArray(value) && value.every(isPlain)
      ? escapeLineEnds(JSON.stringify(value))
      : json(raw);
  } catch {
    return json(raw);
  }
}

/** Whether every reader of JSON sees the same in an item; the agent's lists have no others. */
function isPlain(item: unknown): boolean {
  return typeof item === 'string' ? item.isWellFormed() : typeof item !== 'object';
}

function objectText(members: readonly (readonly [string, string | undefined])[]): string {
  const present = members.filter(([, value]) => value !== undefined);
  return `{${present.map(([key, value]) => `${json(key)}:${value}`).join(',')}}`;
}
