import type { Json, JsonObject } from '../../record/exact-json.ts';
import { isObject } from '../../record/exact-json.ts';
import { ENVIRONMENT } from '../../record/fields/environment.ts';
import { ENTRIES, NUMBERS, PROCESS } from '../../record/fields/exec.ts';
import type { FieldType } from '../../record/fields/field.ts';
import { GAP } from '../../record/fields/gap.ts';
import { LOSS, START, STOP, WITHHELD } from '../../record/fields/journal.ts';
import { ATTRIBUTES, columnOf, KEYS } from '../../record/fields.ts';
import { FIRST } from '../../record/line/layout.ts';
import { IN_RESOURCE, OF_EXECS } from '../audit/line-rules.ts';

/** A part that is not of the expected form; each of these numbers is in scanner/*.h, too. */
const UNEXPECTED = -1;
/** What the audit needs to know of a resource. */
const RESOURCE = { hasHost: 1, hasContainer: 2, hasPod: 4 };
/** What it needs to know of the attributes from the executable on. */
const TAIL = { isSound: 1, hasEntry: 2, hasMetadataState: 4, hasUnit: 8 };

/** The attributes that stand elsewhere in an exec's line, or in lines of other kinds. */
const ELSEWHERE = new Set<string>(
  Object.values({
    ...NUMBERS,
    ...GAP,
    ...LOSS,
    ...START,
    ...STOP,
    ...WITHHELD,
    ...PROCESS,
    ...ENVIRONMENT,
  }).map(({ key }) => key),
);
const ANCESTOR = new Set<string>([
  KEYS.gapAncestorPid,
  KEYS.gapAncestorStartTime,
  KEYS.gapAncestorComm,
  KEYS.gapAncestorExecutable,
]);
const TYPES = new Map<string, FieldType>(
  Object.values(ATTRIBUTES).map(({ key, type }) => [key, type]),
);
const REQUIRED = Object.entries(ATTRIBUTES)
  .filter(([name, { key }]) => OF_EXECS.includes(columnOf(name)) && !ELSEWHERE.has(key))
  .map(([, { key }]) => key);

/** Reads a resource, from its first brace to its last one; returns a sum of RESOURCE. */
export function resourceFacts(part: Buffer): number {
  const resource = objectOf(part.toString('latin1'));
  if (resource === undefined || !Object.values(resource).every(isSimple)) return UNEXPECTED;
  if (IN_RESOURCE.some((key) => typeof (resource[key] ?? '') !== 'string')) return UNEXPECTED;
  const has = (key: string) => key in resource;
  return (
    (has(KEYS.hostName) && has(KEYS.osType) ? RESOURCE.hasHost : 0) +
    (has(KEYS.containerId) ? RESOURCE.hasContainer : 0) +
    (has(KEYS.podUid) ? RESOURCE.hasPod : 0)
  );
}

/** Reads the attributes of a gap, each with a comma before it; a lost cause is looked at closer. */
export function gapFacts(part: Buffer): number {
  const gap = objectOf(`{${part.toString('latin1').slice(1)}}`);
  if (gap === undefined) return UNEXPECTED;
  const { [KEYS.gapReason]: reason, ...ancestor } = gap;
  if (reason === 'untracked') return Object.keys(ancestor).length === 0 ? 0 : UNEXPECTED;
  const isAncestor =
    KEYS.gapAncestorStartTime in ancestor &&
    Number.isSafeInteger(ancestor[KEYS.gapAncestorPid]) &&
    Object.entries(ancestor).every(
      ([key, value]) =>
        ANCESTOR.has(key) && (key === KEYS.gapAncestorPid || typeof value === 'string'),
    );
  return reason === 'predates_hook' && isAncestor ? 0 : UNEXPECTED;
}

/**
 * Reads attributes, from the value of the executable's path to the end of the line; returns a sum of
 * TAIL.
 */
export function tailFacts(part: Buffer): number {
  const text = part.toString('latin1');
  if (!text.endsWith('}}')) return UNEXPECTED;
  const attributes = objectOf(`{${FIRST.invocation}${text.slice(0, -1)}`);
  if (attributes === undefined) return UNEXPECTED;
  for (const [key, value] of Object.entries(attributes))
    if (ELSEWHERE.has(key) || !isOfType(value, TYPES.get(key))) return UNEXPECTED;
  const entry = attributes[KEYS.entry];
  const hasUnit = KEYS.unit in attributes;
  const state = attributes[KEYS.metadataState];
  const isSound =
    REQUIRED.every((key) => key in attributes) &&
    hasRightCount(attributes) &&
    (entry === undefined || ENTRIES.some((one) => one === entry)) &&
    (entry !== 'session' || hasUnit) &&
    (state === undefined || state === 'complete' || state === 'partial');
  return (
    (isSound ? TAIL.isSound : 0) +
    (entry === undefined ? 0 : TAIL.hasEntry) +
    (state === undefined ? 0 : TAIL.hasMetadataState) +
    (hasUnit ? TAIL.hasUnit : 0)
  );
}

/**
 * Reads an object that every engine reads alike: in plain ASCII, without members of the same name,
 * white space, or numbers that are written in an unusual way.
 */
function objectOf(text: string): JsonObject | undefined {
  if (!/^[\x20-\x7e]*$/.test(text) || text.includes('\\u')) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) && JSON.stringify(json) === text ? json : undefined;
  } catch {
    return undefined;
  }
}

function isSimple(value: Json): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value) || areStrings(value);
}

function areStrings(value: Json): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isOfType(value: Json, type: FieldType | undefined): boolean {
  switch (type) {
    case undefined:
      // What is nested may be too deep for a record.
      return typeof value !== 'object' || areStrings(value);
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'flag':
      return value === true;
    case 'strings':
      return areStrings(value);
    case 'decimal':
      return typeof value === 'string' && /^\d{1,18}$/.test(value);
    default:
      return false;
  }
}

function hasRightCount(attributes: JsonObject): boolean {
  const args = attributes[KEYS.args];
  const count = attributes[KEYS.argsCount];
  if (args === undefined) return true;
  if (!Array.isArray(args) || typeof count !== 'number') return false;
  return attributes[KEYS.argsTruncated] === true ? args.length <= count : args.length === count;
}
