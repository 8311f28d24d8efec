import {
  type CheckedRecord,
  isObject,
  type Json,
  type JsonObject,
  type Report,
} from './finding.ts';
import { isUuid, isUuid5 } from './uuid.ts';

const CORE = [
  'id',
  'timestamp',
  'actor',
  'action',
  'object',
  'permitted_by',
  'parent_cause',
  'resource',
  'attributes',
];
const ACTOR = ['pid', 'ppid', 'uid', 'gid', 'comm'];

/** Inside a string the quotes would be escaped, so this matches only the key. */
const TIMESTAMP = /[{,]\s*"timestamp"\s*:\s*(0|[1-9]\d{0,18})\s*[,}]/;
/** The characters that JSON allows unescaped and this format does not. */
const RAW = /[\u0085\u2028\u2029]/;

/** Parses a line and checks its core; undefined if the rest cannot be checked. */
export function parseLine(line: string, report: Report): CheckedRecord | undefined {
  let json: Json;
  try {
    json = JSON.parse(line) as Json;
  } catch (error) {
    report('json', `not JSON: ${(error as Error).message}`);
    return undefined;
  }
  if (!isObject(json)) {
    report('json', 'not an object');
    return undefined;
  }
  if (RAW.test(line)) report('raw', 'U+0085, U+2028 or U+2029 that is not escaped');
  checkKeys(json, CORE, 'the record', report);
  checkStrings(json, report);
  return coreOf(json, line, report);
}

function checkKeys(
  object: JsonObject,
  keys: readonly string[],
  where: string,
  report: Report,
): void {
  for (const key of keys) if (!(key in object)) report('core', `${where} has no ${key}`);
  for (const key of Object.keys(object)) {
    if (!keys.includes(key)) report('core', `${where} has a key ${JSON.stringify(key)}`);
  }
}

/** Lone surrogates can hide in any string, keys included. */
function checkStrings(value: Json | undefined, report: Report): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) report('surrogate', `a lone surrogate in ${JSON.stringify(value)}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const key in value) {
      checkStrings(key, report);
      checkStrings((value as JsonObject)[key], report);
    }
  }
}

function coreOf(json: JsonObject, line: string, report: Report): CheckedRecord | undefined {
  const timestamp = TIMESTAMP.exec(line)?.[1];
  if (timestamp === undefined) report('timestamp', 'no bare integer of 1 to 19 digits');
  const { id, action, object, actor, resource, attributes } = json;
  if (typeof id !== 'string' || !isUuid5(id)) report('id', `${JSON.stringify(id)} is no UUIDv5`);
  if (typeof object !== 'string' || object === '') report('object', 'not a string, or empty');
  if (!isObject(actor)) report('core', 'actor is no object');
  else checkActor(actor, report);
  if (!isObject(resource) || !isObject(attributes)) {
    report('core', 'resource or attributes is no object');
    return undefined;
  }
  const bootId = attributes['vcml.boot.id'];
  const bootTime = attributes['vcml.boot_time'];
  if (typeof bootId !== 'string' || !isUuid(bootId)) report('boot', 'no vcml.boot.id');
  else if (typeof bootTime !== 'string' || !/^\d+$/.test(bootTime))
    report('boot', 'no vcml.boot_time');
  else if (typeof id === 'string' && typeof action === 'string' && isObject(actor)) {
    return {
      id,
      action,
      object: String(object),
      permittedBy: typeof json.permitted_by === 'string' ? json.permitted_by : undefined,
      parentCause: parentOf(json, report),
      actor,
      resource,
      attributes,
      timestamp: BigInt(timestamp ?? digitsOf(json.timestamp)),
      bootId,
      bootTime: BigInt(bootTime),
    };
  }
  return undefined;
}

/** Returns a time that allows further checks after a malformed timestamp. */
function digitsOf(value: Json | undefined): string {
  return /^\d+$/.exec(String(value))?.[0] ?? '0';
}

function parentOf(json: JsonObject, report: Report): string | null {
  const parent = json.parent_cause;
  if (typeof parent === 'string' && isUuid5(parent)) return parent;
  if (parent !== null) report('link', `parent_cause ${JSON.stringify(parent)} is no UUIDv5`);
  return null;
}

function checkActor(actor: JsonObject, report: Report): void {
  checkKeys(actor, ACTOR, 'actor', report);
  for (const key of ACTOR) {
    const value = actor[key];
    if (value === undefined) continue;
    const right = key === 'comm' ? typeof value === 'string' : Number.isSafeInteger(value);
    if (!right) report('type', `actor.${key} is ${JSON.stringify(value)}`);
  }
}
