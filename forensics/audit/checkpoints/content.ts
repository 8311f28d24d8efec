import {
  isObject,
  type Json,
  type JsonObject,
  parseExact,
  writeExact,
} from '../../../record/exact-json.ts';
import { sha256 } from '../../../record/tree/hashes.ts';

/** What a record must have in common with another one to be the same. */
export interface Content {
  /** the SHA-256 of everything but the resource, whatever the order of members, in base64 */
  readonly content: string;
  /** its resource as JSON */
  readonly resource: string;
}

/** Returns the content of a record. */
export function contentOf({ resource = {}, ...others }: JsonObject): Content {
  const content = sha256(Buffer.from(writeExact(sorted(others)))).toString('base64');
  return { content, resource: writeExact(resource) };
}

/**
 * Whether a journal's record is the witnessed one. What carries records may add to the resource, and change
 * the order of members.
 */
export function isWitnessed(own: Content, witnessed: Content): boolean {
  if (own.content !== witnessed.content) return false;
  if (own.resource === witnessed.resource) return true;
  const theirs = resourceOf(witnessed);
  return Object.entries(resourceOf(own)).every(
    ([key, value]) => writeExact(theirs[key] ?? null) === writeExact(value),
  );
}

function resourceOf({ resource }: Content): JsonObject {
  const read = parseExact(resource);
  return isObject(read) ? read : {};
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}
