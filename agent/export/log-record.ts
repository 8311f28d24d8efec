import type { Attributes } from '@opentelemetry/api';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

/** A log record of a journal's line. Its attributes are in two parts. */
export interface LogRecord extends ReadableLogRecord {
  readonly recurring: Recurring;
}

/** Attributes that may come again and again, and themselves in protobuf once they have. */
export interface Recurring {
  readonly attributes: Attributes;
  readonly encoded?: Uint8Array;
}

/** One attribute of a record. */
export function attributeOf({ attributes, recurring }: LogRecord, name: string): unknown {
  return attributes[name] ?? recurring.attributes[name];
}
