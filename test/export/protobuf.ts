/** Reads an ExportLogsServiceRequest: field numbers from opentelemetry/proto, nothing shared with the agent. */

import type { AnyValue, KeyValue, LogRecord, LogsData } from './otlp.ts';

type Fields = Map<number, (Buffer | bigint)[]>;

/** A request in OTLP's JSON form. */
export function decodeRequest(bytes: Uint8Array): LogsData {
  return {
    resourceLogs: messages(fieldsOf(Buffer.from(bytes)), 1).map((resourceLogs) => ({
      resource: { attributes: messages(message(resourceLogs, 1), 1).map(keyValue) },
      scopeLogs: messages(resourceLogs, 2).map((scopeLogs) => ({
        scope: {
          name: text(message(scopeLogs, 1), 1),
          version: text(message(scopeLogs, 1), 2),
        },
        logRecords: messages(scopeLogs, 2).map(logRecord),
        schemaUrl: text(scopeLogs, 3),
      })),
      schemaUrl: text(resourceLogs, 3),
    })),
  };
}

function logRecord(record: Fields): LogRecord {
  return {
    timeUnixNano: String(integer(record, 1)),
    observedTimeUnixNano: String(integer(record, 11)),
    severityNumber: Number(integer(record, 2)),
    eventName: text(record, 12),
    body: anyValue(message(record, 5)),
    attributes: messages(record, 6).map(keyValue),
    traceId: bytes(record, 9).toString('hex'),
    spanId: bytes(record, 10).toString('hex'),
  };
}

function keyValue(fields: Fields): KeyValue {
  return { key: text(fields, 1), value: anyValue(message(fields, 2)) };
}

function anyValue(fields: Fields): AnyValue {
  if (fields.has(1)) return { stringValue: text(fields, 1) };
  if (fields.has(2)) return { boolValue: integer(fields, 2) === 1n };
  if (fields.has(3)) return { intValue: String(integer(fields, 3)) };
  if (fields.has(5))
    return { arrayValue: { values: messages(message(fields, 5), 1).map(anyValue) } };
  throw new Error(`a value of the fields ${[...fields.keys()]}`);
}

function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => fieldsOf(value as Buffer));
}

function message(fields: Fields, number: number): Fields {
  return messages(fields, number)[0] ?? new Map();
}

function bytes(fields: Fields, number: number): Buffer {
  return (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
}

function text(fields: Fields, number: number): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes(fields, number));
}

function integer(fields: Fields, number: number): bigint {
  return (fields.get(number)?.[0] as bigint | undefined) ?? 0n;
}

function fieldsOf(from: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = from.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const slice = (length: number) => {
    if (at + length > from.length) throw new RangeError('a field beyond its message');
    at += length;
    return from.subarray(at - length, at);
  };
  while (at < from.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (type !== 0 && type !== 1 && type !== 2) throw new Error(`wire type ${type}`);
    const value =
      type === 0 ? varint() : type === 1 ? slice(8).readBigUInt64LE() : slice(Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}
