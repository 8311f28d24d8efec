import { isObject, type JsonObject, parseExact } from './exact-json.ts';

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

/** Reads a line; undefined if it is not a record. */
export function readRecord(text: string): StoredRecord | undefined {
  let json: unknown;
  try {
    json = parseExact(text);
  } catch {
    return undefined;
  }
  if (!isObject(json) || typeof json.id !== 'string') return undefined;
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

function nanoseconds(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
