import { type Attributes, SeverityNumber } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { isObject, type Json, type JsonObject, parseExact } from '../../../record/exact-json.ts';
import { CORE, OTLP_KEYS } from '../../../record/fields/core.ts';
import { bodyOf } from './body.ts';
import type { Scope } from './scope.ts';
import { traceOf } from './trace-of.ts';

/** A log record that has all the fields that the agent's records have. */
export type PlainLogRecord = Required<Omit<ReadableLogRecord, 'spanContext' | 'severityText'>> &
  Pick<ReadableLogRecord, 'spanContext'>;

const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * Parses a line of the journal as a log record, by the table in docs/export.md: the same record
 * that LogRecordEncoder writes, in the form that OpenTelemetry's own serializers take. Throws a
 * SyntaxError if the line is not a record.
 */
export function readLogRecord(line: string, instrumentationScope: Scope): PlainLogRecord {
  const json = objectIn(parseExact(line));
  const actor = objectIn(json.actor);
  const attributes = objectIn(json.attributes) as Attributes;
  const action = textIn(json[CORE.action.key]);
  const object = textIn(json[CORE.object.key]);
  const pid = countIn(actor[CORE.pid.key]);
  const parentCause = json[CORE.parentCause.key];
  const trace = traceOf(attributes);
  const hrTime = timeIn(json[CORE.timestamp.key]);
  return {
    hrTime,
    hrTimeObserved: hrTime,
    severityNumber: action === 'journal.loss' ? SeverityNumber.WARN : SeverityNumber.INFO,
    eventName: `vcml.${action}`,
    body: bodyOf({ action, object, actor: { pid } }, attributes),
    resource: resourceFromAttributes(objectIn(json.resource) as Attributes, {
      schemaUrl: instrumentationScope.schemaUrl,
    }),
    instrumentationScope,
    attributes: {
      [OTLP_KEYS.id]: textIn(json[CORE.id.key]),
      [OTLP_KEYS.pid]: pid,
      [OTLP_KEYS.ppid]: countIn(actor[CORE.ppid.key]),
      [OTLP_KEYS.uid]: countIn(actor[CORE.uid.key]),
      [OTLP_KEYS.gid]: countIn(actor[CORE.gid.key]),
      [OTLP_KEYS.comm]: textIn(actor[CORE.comm.key]),
      [OTLP_KEYS.object]: object,
      [OTLP_KEYS.permittedBy]: textIn(json[CORE.permittedBy.key]),
      ...(parentCause !== null && { [OTLP_KEYS.parentCause]: textIn(parentCause) }),
      ...attributes,
    },
    droppedAttributesCount: 0,
    ...(trace && { spanContext: { ...trace, traceFlags: trace.flags } }),
  };
}

function objectIn(value: Json | undefined): JsonObject {
  return isObject(value) ? value : fail('an object');
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : fail('a string');
}

function countIn(value: Json | undefined): number {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : fail('a count');
}

/** Splits nanoseconds since 1970 into seconds and nanoseconds. */
function timeIn(value: Json | undefined): [seconds: number, nanos: number] {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return fail('a time');
  const nanoseconds = BigInt(value as bigint | number);
  return [Number(nanoseconds / NANOS_PER_SECOND), Number(nanoseconds % NANOS_PER_SECOND)];
}

function fail(what: string): never {
  throw new SyntaxError(`not a line of the journal: it lacks ${what}`);
}
