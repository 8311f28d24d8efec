/**
 * Reads an ExportLogsServiceRequest. The field numbers are from opentelemetry/proto; it shares
 * nothing with the agent.
 */

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { AnyValue, KeyValue, LogRecord, LogsData } from './otlp.ts';

type Fields = Map<number, (Uint8Array | bigint)[]>;

/** A request in OTLP's JSON form. */
export function decodeRequest(bytes: Uint8Array): LogsData {
  return {
    resourceLogs: messages(fieldsOf(bytes), 1).map((resourceLogs) => ({
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
    traceId: Buffer.from(bytes(record, 9)).toString('hex'),
    spanId: Buffer.from(bytes(record, 10)).toString('hex'),
    flags: Number(integer(record, 8)),
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
  return (fields.get(number) ?? []).map((value) => fieldsOf(value as Uint8Array));
}

function message(fields: Fields, number: number): Fields {
  return messages(fields, number)[0] ?? new Map();
}

function bytes(fields: Fields, number: number): Uint8Array {
  return (fields.get(number)?.[0] as Uint8Array | undefined) ?? new Uint8Array();
}

function text(fields: Fields, number: number): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes(fields, number));
}

function integer(fields: Fields, number: number): bigint {
  return (fields.get(number)?.[0] as bigint | undefined) ?? 0n;
}

function fieldsOf(from: Uint8Array): Fields {
  const fields: Fields = new Map();
  const reader = new BinaryReader(from);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    fields.set(number, [...(fields.get(number) ?? []), readValue(reader, wireType)]);
  }
  return fields;
}

/** The wire types that log records have; others are an error. */
function readValue(reader: BinaryReader, wireType: WireType): Uint8Array | bigint {
  if (wireType === WireType.Varint) return BigInt(reader.uint64());
  if (wireType === WireType.Bit64) return BigInt(reader.fixed64());
  if (wireType === WireType.Bit32) return BigInt(reader.fixed32());
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  throw new Error(`wire type ${wireType}`);
}
