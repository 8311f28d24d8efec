/** The columns of a store's table `records`, made from the declaration of fields. */

import { CORE, OTLP_KEYS } from '../../../record/fields/core.ts';
import type { Field, FieldType } from '../../../record/fields/field.ts';
import { ATTRIBUTES, columnOf, KEYS } from '../../../record/fields.ts';
import { placeColumns } from '../../place-columns.ts';
import { literal } from './literal.ts';

/** One column of `records`. */
export interface Column {
  readonly name: string;
  /** as ClickHouse itself writes it */
  readonly type: string;
  readonly codec?: string;
  /** what it is computed from whenever it is read; without it, it is stored */
  readonly alias?: string;
  /** its value in a row of the exporter */
  readonly value: string;
  /** its value in a row from before the column was there, whose attributes have it */
  readonly otherwise?: string;
}

const WORDS = 'LowCardinality(Nullable(String))';
/** Ids of records and of boots. */
const UUIDS: ReadonlySet<string> = new Set([
  'id',
  'parentCause',
  'bootId',
  'gapLostCause',
  'lossBootId',
  'checkpointEpoch',
  'checkpointPreviousEpoch',
]);
/** Ids that others make, and hashes: a dictionary would have nearly as many as there are rows. */
const DISTINCT: ReadonlySet<string> = new Set([
  'traceId',
  'spanId',
  'checkpointPreviousRoot',
  'checkpointRoot',
  'checkpointLeaf',
  'checkpointPreviousLine',
  'checkpointNote',
]);
/** Numbers that rise from row to row. */
const RISING: ReadonlySet<string> = new Set(['seq']);
/** Times that are stored as their distance to the timestamp, which takes half of the bytes. */
const DISTANCES: Readonly<Record<string, Distance>> = {
  bootTime: { column: 'boot_offset', of: (text) => `toInt64OrNull(${text})`, as: (time) => time },
  created: {
    column: 'age',
    of: (text) => `toUnixTimestamp64Nano(${momentIn(text)})`,
    as: (time) => momentText(`fromUnixTimestamp64Nano(${time}, 'UTC')`),
  },
};

/** How a value of each type is stored, and made from the text that the exporter writes for it. */
const FORMS: Readonly<Record<FieldType, Form>> = {
  string: { type: WORDS, of: orNull },
  decimal: { type: WORDS, of: orNull },
  time: { type: 'Nullable(String)', of: orNull },
  integer: { type: 'Nullable(Int64)', of: (text) => `toInt64OrNull(${text})` },
  nanoseconds: { type: 'Nullable(Int64)', of: (text) => `toInt64OrNull(${text})` },
  flag: { type: 'Nullable(Bool)', of: (text) => `if(${text} = 'true', true, NULL)` },
  strings: { type: 'Array(String)', of: (text) => `JSONExtract(${text}, 'Array(String)')` },
  integers: { type: 'Array(Int64)', of: (text) => `JSONExtract(${text}, 'Array(Int64)')` },
};
const AS_UUID: Form = { type: 'Nullable(UUID)', of: (text) => `toUUIDOrNull(${text})` };

/** How a time is stored. */
interface Distance {
  /** holds how much earlier than the timestamp it is, in nanoseconds */
  readonly column: string;
  /** Returns its number as SQL, from the SQL of a text that is empty where there is none. */
  of(text: string): string;
  /** Returns it as it is read, from the SQL of its number. */
  as(time: string): string;
}

type OtlpName = keyof typeof OTLP_KEYS;

interface Form {
  readonly type: string;
  /** Returns the value as SQL, from the SQL of a text that is empty where there is none. */
  of(text: string): string;
}

/** The fields that are attributes for the exporter, by their names. */
const FIELDS: Readonly<Record<string, Field>> = {
  ...Object.fromEntries(
    Object.entries(OTLP_KEYS).map(([name, key]) => [name, { ...CORE[name as OtlpName], key }]),
  ),
  ...ATTRIBUTES,
};

function columnsFor(name: string): Column[] {
  const distance = DISTANCES[name];
  if (distance === undefined) return [columnFor(name)];
  const { key, type } = FIELDS[name] as Field;
  const { column, of, as } = distance;
  return [
    {
      name: column,
      type: 'Nullable(Int64)',
      value: `toUnixTimestamp64Nano(Timestamp) - ${of(`LogAttributes[${literal(key)}]`)}`,
      otherwise: `timestamp - ${of(`attributes[${literal(key)}]`)}`,
    },
    {
      name: columnOf(name),
      type: formOf(name, type).type,
      alias: as(`timestamp - ${column}`),
      value: '',
    },
  ];
}

function momentIn(text: string): string {
  return `parseDateTime64BestEffortOrNull(${text}, 9, 'UTC')`;
}

/** Returns a moment as the agent writes it. */
function momentText(moment: string): string {
  return `concat(replaceOne(toString(${moment}), ' ', 'T'), 'Z')`;
}

function columnFor(name: string): Column {
  const { key, type: fieldType } = FIELDS[name] as Field;
  const { type, of } = formOf(name, fieldType);
  return {
    name: columnOf(name),
    type,
    ...(RISING.has(name) ? { codec: 'Delta, ZSTD(1)' } : {}),
    value: of(`LogAttributes[${literal(key)}]`),
    ...(name in ATTRIBUTES ? { otherwise: of(`attributes[${literal(key)}]`) } : {}),
  };
}

function formOf(name: string, type: FieldType): Form {
  if (DISTINCT.has(name)) return FORMS.time;
  return UUIDS.has(name) ? AS_UUID : FORMS[type];
}

function orNull(text: string): string {
  return `nullIf(${text}, '')`;
}

const ID = `LogAttributes[${literal(OTLP_KEYS.id)}]`;

/** The core fields, in the order of a line. */
const core: readonly Column[] = [
  {
    name: CORE.id.key,
    type: 'UUID',
    codec: 'NONE',
    // An id that is no UUID, which no agent writes, gets one from its text, which the map keeps.
    value: `coalesce(toUUIDOrNull(${ID}), reinterpretAsUUID(sipHash128(${ID})))`,
  },
  {
    name: CORE.timestamp.key,
    type: 'Int64',
    codec: 'Delta, ZSTD(1)',
    value: 'toUnixTimestamp64Nano(Timestamp)',
  },
  ...['pid', 'ppid', 'uid', 'gid', 'comm'].map(columnFor),
  { name: CORE.action.key, type: 'LowCardinality(String)', value: 'substring(EventName, 6)' },
  ...['object', 'permittedBy', 'parentCause'].map(columnFor),
];

const RESOURCE_COLUMNS: Readonly<Record<string, string>> = {
  host: inResource(KEYS.hostName),
  ...placeColumns({ inResource, behind: (prefix, text) => `concat(${prefix}, ${text})` }),
};

/** Where a record happened, from its resource. */
const places: readonly Column[] = [
  {
    name: 'time',
    type: "DateTime64(9, 'UTC')",
    alias: "fromUnixTimestamp64Nano(timestamp, 'UTC')",
    value: '',
  },
  {
    name: 'node',
    type: 'LowCardinality(String)',
    value: `coalesce(${inResource(KEYS.nodeName)}, ResourceAttributes[${literal(KEYS.hostName)}])`,
  },
  ...Object.entries(RESOURCE_COLUMNS).map(([name, value]) => ({ name, type: WORDS, value })),
  {
    name: 'resource',
    type: 'Map(String, String)',
    alias: "JSONExtract(resource_json, 'Map(String, String)')",
    value: '',
  },
];

/** What a store adds, so that nothing of a record is lost. */
const kept: readonly Column[] = [
  {
    name: 'resource_json',
    type: 'LowCardinality(String)',
    value: 'toJSONString(ResourceAttributes)',
  },
  { name: 'attributes', type: 'Map(LowCardinality(String), String)', value: otherAttributes() },
  {
    name: 'content',
    type: 'UInt64',
    value: "if(action = 'exec', 0, sipHash64(toString(LogAttributes), resource_json))",
  },
  {
    name: 'version',
    type: 'UInt64',
    codec: 'Delta, ZSTD(1)',
    value: 'bitNot(toUInt64(toUnixTimestamp64Nano(now64(9)))) - rowNumberInAllBlocks()',
  },
];

/** Every column of `records` in order. */
export const COLUMNS: readonly Column[] = [
  ...core,
  ...Object.keys(ATTRIBUTES).flatMap(columnsFor),
  ...places,
  ...kept,
];

function inResource(key: string): string {
  return `nullIf(ResourceAttributes[${literal(key)}], '')`;
}

/** The attributes without a column, and those whose columns do not give the same text again. */
function otherAttributes(): string {
  const differs = [
    `NOT ${isOneOf(() => true)}`,
    "v = ''",
    `${isOneOf((_, type) => type === 'integer' || type === 'nanoseconds')} AND toString(toInt64OrZero(v)) != v`,
    `${isOneOf((_, type) => type === 'flag')} AND v != 'true'`,
    `${isOneOf((name) => name === 'created')} AND coalesce(${momentText(momentIn('v'))}, '') != v`,
    `${isOneOf((name) => UUIDS.has(name))} AND toString(toUUIDOrZero(v)) != v`,
    `${isOneOf((_, type) => type === 'strings' || type === 'integers')} AND empty(JSONExtract(v, 'Array(String)'))`,
  ];
  return `mapFilter((k, v) -> ${differs.map((one) => `(${one})`).join('\n    OR ')}, LogAttributes)`;
}

function isOneOf(matches: (name: string, type: FieldType) => boolean): string {
  const keys = Object.entries(FIELDS).filter(([name, { type }]) => matches(name, type));
  return `k IN (${keys.map(([, { key }]) => literal(key)).join(', ')})`;
}
