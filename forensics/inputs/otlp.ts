import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import {
  isObject,
  type Json,
  type JsonObject,
  parseExact,
  writeExact,
} from '../../record/exact-json.ts';
import { OTLP_KEYS } from '../../record/fields/core.ts';
import { readLines } from './lines.ts';

/** The result of reading a file of OTLP JSON lines. */
export interface Converted {
  /** the line number of each record in the file */
  readonly lines: readonly number[];
  /** the number of log records of other programs */
  readonly others: number;
  /** the number of records that were delivered before, with the same content */
  readonly replays: number;
}

/** Whether a file's first line is one of the Collector's file exporter. */
export async function isOtlp(path: string): Promise<boolean> {
  for await (const { text } of readLines(path)) return /^\s*\{\s*"resourceLogs"\s*:/.test(text);
  return false;
}

/**
 * Writes the records in a file of OTLP JSON lines as lines of their own, in their order.
 * `delivered` remembers ids and contents over several files, because records are delivered at least
 * once.
 */
export async function convertOtlp(
  path: string,
  target: string,
  delivered: Map<string, number>,
): Promise<Converted> {
  const lines: number[] = [];
  let others = 0;
  let replays = 0;
  const file = createWriteStream(target, { flags: 'wx', mode: 0o600 });
  for await (const { text, number } of readLines(path)) {
    const records = recordsIn(text);
    if (records === undefined) {
      // It stays as it is and is reported as a line that cannot be read.
      lines.push(number);
      file.write('?\n');
      continue;
    }
    for (const record of records) {
      if (record === undefined) {
        others += 1;
        continue;
      }
      const line = writeExact(record);
      const sum = crc32(line);
      const id = String(record.id);
      if (delivered.get(id) === sum) {
        replays += 1;
        continue;
      }
      delivered.set(id, sum);
      lines.push(number);
      if (!file.write(`${line}\n`)) await once(file, 'drain');
    }
  }
  file.end();
  await finished(file);
  return { lines, others, replays };
}

/**
 * The records of one line; undefined in the place of a foreign log record, or for a line that is
 * not JSON.
 */
function recordsIn(text: string): (JsonObject | undefined)[] | undefined {
  try {
    const request = parseExact(text);
    return listOf(request, 'resourceLogs').flatMap((resourceLogs) => {
      const resource = attributesOf(isObject(resourceLogs) ? resourceLogs.resource : undefined);
      return listOf(resourceLogs, 'scopeLogs')
        .flatMap((scopeLogs) => listOf(scopeLogs, 'logRecords'))
        .map((logRecord) => recordOf(logRecord, resource));
    });
  } catch {
    return undefined;
  }
}

/** Makes a record from the attributes that carry its core fields, and from the others. */
function recordOf(logRecord: Json, resource: JsonObject): JsonObject | undefined {
  const { core, attributes } = apart(attributesOf(logRecord));
  const { id, pid, ppid, uid, gid, comm, object, permittedBy, parentCause = null } = core;
  if (!isObject(logRecord) || id === undefined || permittedBy === undefined) return undefined;
  const { [EVENT_NAME]: eventAttribute, ...others } = attributes;
  const event = logRecord.eventName ?? eventAttribute;
  return present({
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
