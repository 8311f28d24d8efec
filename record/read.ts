import { isObject, type JsonObject, parseExact } from './exact-json.ts';
import { hasOneReading, isReadAlike } from './one-reading.ts';

/** A record as its line states it; a field of the wrong type counts as absent. */
export interface StoredRecord {
  readonly id: string;
  /** Unix nanoseconds */
  readonly timestamp: bigint | undefined;
  readonly pid: number | undefined;
  readonly uid: number | undefined;
  readonly comm: string | undefined;
  readonly action: string;
  /** as JSON if it is an object */
  readonly object: string;
  readonly permittedBy: string;
  readonly parentCause: string | undefined;
  readonly resource: JsonObject;
  readonly attributes: JsonObject;
  /** the exact members of the line */
  readonly json: JsonObject;
}

/**
 * Whether a line is a record: a JSON text (RFC 8259) that every reader reads alike, of an object whose
 * `id` is a string. There is no other rule, so that no answer has a record that another one leaves out.
 */
export function isRecord(text: string): boolean {
  return isRecordAs(text, parsed(text, JSON.parse));
}

/** Whether a line that was parsed into `json` is a record. */
export function isRecordAs(text: string, json: unknown): json is JsonObject & { id: string } {
  return isObject(json) && typeof json.id === 'string' && hasOneReading(text, json);
}

/** Whether the line that writeExact() makes of a value is a record. */
export function isRecordValue(json: unknown): json is JsonObject & { id: string } {
  return isObject(json) && typeof json.id === 'string' && isReadAlike(json);
}

/** Reads a line; undefined if it is not a record. */
export function readRecord(text: string): StoredRecord | undefined {
  const json = parsed(text, parseExact);
  if (!isRecordAs(text, json)) return undefined;
  const { id, timestamp, actor: given, object, parent_cause: parentCause } = json;
  const actor: JsonObject = isObject(given) ? given : {};
  return {
    id,
    timestamp: nanoseconds(timestamp),
    pid: integer(actor.pid),
    uid: integer(actor.uid),
    comm: typeof actor.comm === 'string' ? actor.comm : undefined,
    action: String(json.action),
    object: typeof object === 'string' ? object : JSON.stringify(object ?? null),
    permittedBy: String(json.permitted_by),
    parentCause: typeof parentCause === 'string' ? parentCause : undefined,
    resource: isObject(json.resource) ? json.resource : {},
    attributes: isObject(json.attributes) ? json.attributes : {},
    json,
  };
}

/** Exact numbers take three times as long. */
function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function nanoseconds(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
