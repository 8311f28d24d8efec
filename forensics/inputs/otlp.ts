import { isObject, type Json, type JsonObject } from '../../record/exact-json.ts';
import { OTLP_KEYS } from '../../record/fields/core.ts';
import { isRecordAs, isRecordValue } from '../../record/read.ts';
import { parseShallow } from '../../record/shallow.ts';

/**
 * What an OTLP log record holds: the record from which it was made; null: what says that it is one, and is no
 * record (record/read.ts); undefined: something of another program.
 */
export type LogRecord = JsonObject | null | undefined;

/** What a line holds. */
export type Content =
  /** a record, as it stands in a journal */
  | { readonly kind: 'record' }
  | { readonly kind: 'logs'; readonly records: readonly LogRecord[] }
  /** OTLP without log records: traces, metrics, profiles */
  | { readonly kind: 'other' }
  /** an empty object, which is OTLP without anything among lines of OTLP */
  | { readonly kind: 'empty' }
  | { readonly kind: 'neither' };

const OTHER_SIGNALS = ['resourceSpans', 'resourceMetrics', 'resourceProfiles'];

/** Says what a line holds. Each line is its own: a file may have several kinds. */
export function contentOf(text: string): Content {
  const json = parsed(text);
  if (!isObject(json)) return { kind: 'neither' };
  if (typeof json.id === 'string') return { kind: isRecordAs(text, json) ? 'record' : 'neither' };
  if (Array.isArray(json.resourceLogs))
    return { kind: 'logs', records: parseShallow(text, logsIn) };
  if (OTHER_SIGNALS.some((key) => Array.isArray(json[key]))) return { kind: 'other' };
  const keys = Object.keys(json);
  if (keys.length === 1 && keys[0] === 'schemaUrl') return { kind: 'other' };
  return { kind: keys.length === 0 ? 'empty' : 'neither' };
}

function logsIn(json: Json): LogRecord[] {
  return logRecordsIn(listOf(json, 'resourceLogs'));
}

/** Says from its beginning whether a first line may be of OTLP. */
export function mayBeOtlp(text: string): boolean {
  return /^\s*\{\s*("(resource[A-Z]|schemaUrl")|\}\s*$)/.test(text);
}

/** Exact numbers take three times as long, and only log records need them. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns what the log records of resources hold. */
export function logRecordsIn(all: readonly Json[]): LogRecord[] {
  return all.flatMap((resourceLogs) => {
    const resource = attributesOf(isObject(resourceLogs) ? resourceLogs.resource : undefined);
    return listOf(resourceLogs, 'scopeLogs')
      .flatMap((scopeLogs) => listOf(scopeLogs, 'logRecords'))
      .map((logRecord) => recordOf(logRecord, resource));
  });
}

/** Makes a record from the attributes that carry its core fields, and from the others. */
function recordOf(logRecord: Json, resource: JsonObject): LogRecord {
  const { core, attributes } = apart(attributesOf(logRecord));
  const { id, pid, ppid, uid, gid, comm, object, permittedBy, parentCause = null } = core;
  if (!isObject(logRecord) || id === undefined || permittedBy === undefined) return undefined;
  const { [EVENT_NAME]: eventAttribute, ...others } = attributes;
  const event = logRecord.eventName ?? eventAttribute;
  const record = present({
    id,
    timestamp: integer(logRecord.timeUnixNano),
    actor: present({ pid, ppid, uid, gid, comm }),
    action: typeof event === 'string' ? event.replace(/^vcml\./, '') : undefined,
    object,
    permitted_by: permittedBy,
    parent_cause: parentCause,
    resource,
    attributes: others,
  });
  return isRecordValue(record) ? record : null;
}

type CoreName = keyof typeof OTLP_KEYS;
/** The names of core fields by the keys of the attributes that carry them. */
const CORE_NAMES = new Map(
  Object.entries(OTLP_KEYS).map(([name, key]) => [key as string, name as CoreName]),
);
/** The attribute with the event's name, for log records without that field. */
const EVENT_NAME = 'event.name';

function apart(all: JsonObject) {
  const core: Partial<Record<CoreName, Json>> = {};
  const attributes: Record<string, Json> = {};
  for (const [key, value] of Object.entries(all)) {
    const name = CORE_NAMES.get(key);
    if (name === undefined) attributes[key] = value;
    else core[name] = value;
  }
  return { core, attributes };
}

function present(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

function listOf(value: Json | undefined, key: string): readonly Json[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

function attributesOf(value: Json | undefined): JsonObject {
  const attributes: Record<string, Json> = {};
  for (const attribute of listOf(value, 'attributes')) {
    if (!isObject(attribute) || typeof attribute.key !== 'string') continue;
    const plain = plainOf(attribute.value);
    if (plain !== undefined) attributes[attribute.key] = plain;
  }
  return attributes;
}

/** Reads a value of OTLP's JSON encoding, in which 64-bit integers are strings. */
function plainOf(value: Json | undefined): Json | undefined {
  if (!isObject(value)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue } = value;
  if (arrayValue !== undefined)
    return listOf(arrayValue, 'values').map((item) => plainOf(item) ?? null);
  return stringValue ?? boolValue ?? integer(intValue) ?? doubleValue;
}

function integer(value: Json | undefined): Json | undefined {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value;
}
