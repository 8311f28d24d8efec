import { isObject, type JsonObject } from '../../../record/exact-json.ts';
import { KEYS } from '../../../record/fields.ts';
import { checkpointOf } from '../../../record/tree/read-checkpoint.ts';
import type { CheckpointFacts } from './segment-facts.ts';

/** A line begins with its id and its time, within so many bytes. */
export const HEAD_BYTES = 128;
const HEAD = /^\{"id":"[^"]{1,64}","timestamp":(\d{1,20}),/;

/** Reads the line of a checkpoint; undefined: it is another line; null: what it says cannot be read. */
export function checkpointIn(line: string): CheckpointFacts | undefined | null {
  const json = parsed(line);
  if (json === undefined || json.action !== 'journal.checkpoint') return undefined;
  // As a number of JSON, a time would not be exact.
  const time = timeIn(line.slice(0, HEAD_BYTES));
  return time === undefined ? null : factsOf({ ...json, timestamp: BigInt(time) });
}

/** Returns the time at which a line begins, in Unix nanoseconds. */
export function timeIn(head: string): string | undefined {
  return HEAD.exec(head)?.[1];
}

/** Reads the record of a checkpoint; null: what it says cannot be read. */
export function factsOf({
  id,
  timestamp,
  resource,
  attributes,
}: JsonObject): CheckpointFacts | null {
  if (typeof id !== 'string' || !isObject(attributes)) return null;
  if (typeof timestamp !== 'bigint' && !Number.isSafeInteger(timestamp)) return null;
  const read = checkpointOf(attributes);
  if (read === undefined) return null;
  const { root, leaf, continued, previous } = read;
  const base64 = (hash: Buffer) => hash.toString('base64');
  return {
    ...read,
    id,
    host: hostOf(isObject(resource) ? resource : {}) ?? '',
    time: `${timestamp}`,
    root: base64(root),
    leaf: base64(leaf),
    continued: continued && {
      previousLine: base64(continued.previousLine),
      frontier: continued.frontier.map(base64),
    },
    previous: previous && { ...previous, root: base64(previous.root) },
  };
}

/** Returns the node of any line. */
export function hostIn(line: string): string | undefined {
  const { resource } = parsed(line) ?? {};
  return isObject(resource) ? hostOf(resource) : undefined;
}

function parsed(line: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the id of the node of a resource, or its name where it has no id. */
export function hostOf({
  [KEYS.hostId]: id,
  [KEYS.hostName]: name,
}: JsonObject): string | undefined {
  return [id, name].find((one) => typeof one === 'string');
}
