import { isObject, type Json, type JsonObject } from '../../record/exact-json.ts';
import { parseShallow } from '../../record/shallow.ts';

/** Wrappers within wrappers; a log collector adds one or two. */
const DEPTH_MAX = 8;
/** What may stand before the JSON of a line: a node's name, or a time. */
const PREFIX = /^[^{["]{1,300}(?=[{[])/;
const BYTE_ORDER_MARK = /^\ufeff/;

/** Parses text that contains events, also behind a prefix; undefined: it is not JSON. */
export function parseEvents(text: string): Json | undefined {
  const json = text.replace(BYTE_ORDER_MARK, '');
  for (const candidate of [json, json.replace(PREFIX, '')])
    try {
      return parseShallow(candidate, (value) => value);
    } catch {
      // without its prefix it may be JSON
    }
  return undefined;
}

/**
 * Finds the events of the API server's audit log in what carries them: an event itself, a list, or
 * the entry of a log collector, with the event as an object or as text (CloudWatch, Azure Monitor,
 * Fluent Bit, Elasticsearch), and entries of Google's Cloud Audit Logs, which have a form of their
 * own.
 */
export function* eventsIn(value: Json | undefined, depth = 0): Generator<JsonObject> {
  if (value === undefined || depth > DEPTH_MAX) return;
  if (typeof value === 'string') {
    if (MAY_BE_EVENT.test(value)) yield* eventsIn(parseEvents(value), depth + 1);
  } else if (isObject(value) && isEvent(value)) yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* eventsIn(part, depth + 1);
}

const MAY_BE_EVENT = /^\s*[{[]/;

function isEvent({ kind, objectRef, requestURI, protoPayload, items }: JsonObject): boolean {
  if (isObject(protoPayload)) return true;
  return (
    items === undefined && (kind === 'Event' || isObject(objectRef) || requestURI !== undefined)
  );
}
