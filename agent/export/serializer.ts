import type { AnyValue, Attributes } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { ProtobufWriter, utf8Length, varintLength } from './protobuf.ts';

/** Field numbers and wire types: opentelemetry/proto/{collector/logs,logs,resource,common}/v1. */
const REQUEST = { resourceLogs: 0x0a };
const RESOURCE_LOGS = { resource: 0x0a, scopeLogs: 0x12, schemaUrl: 0x1a };
const RESOURCE = { attributes: 0x0a };
const SCOPE_LOGS = { scope: 0x0a, logRecords: 0x12, schemaUrl: 0x1a };
const SCOPE = { name: 0x0a, version: 0x12 };
const LOG_RECORD = {
  time: 0x09,
  severityNumber: 0x10,
  body: 0x2a,
  attributes: 0x32,
  observedTime: 0x59,
  eventName: 0x62,
};
const KEY_VALUE = { key: 0x0a, value: 0x12 };
const ANY_VALUE = { string: 0x0a, bool: 0x10, int: 0x18, array: 0x2a };
const ARRAY_VALUE = { values: 0x0a };

/**
 * Log records as an ExportLogsServiceRequest. Unlike the stock serializer it keeps records of
 * different resources in their order, and takes a fraction of the time. Values are what a journal
 * holds: strings, booleans, whole numbers from 0 to 2^53, and arrays of them.
 */
export class LogsSerializer {
  readonly #writer = new ProtobufWriter();
  readonly #resources = new WeakMap<Resource, Uint8Array>();
  readonly #keys = new Map<string, Uint8Array>();

  serialize(records: readonly ReadableLogRecord[]): Uint8Array {
    const writer = this.#writer;
    for (let from = 0; from < records.length; ) {
      const { resource, instrumentationScope: scope } = records[from] as ReadableLogRecord;
      const resourceLogs = writer.begin(REQUEST.resourceLogs);
      writer.raw(this.#resource(resource));
      const scopeLogs = writer.begin(RESOURCE_LOGS.scopeLogs);
      writeScope(writer, scope);
      for (; from < records.length && records[from]?.resource === resource; from++)
        this.#logRecord(records[from] as ReadableLogRecord);
      writer.string(SCOPE_LOGS.schemaUrl, scope.schemaUrl ?? '');
      writer.end(scopeLogs);
      writer.string(RESOURCE_LOGS.schemaUrl, resource.schemaUrl ?? '');
      writer.end(resourceLogs);
    }
    return writer.take();
  }

  #logRecord(record: ReadableLogRecord): void {
    const writer = this.#writer;
    const start = writer.begin(SCOPE_LOGS.logRecords);
    writer.nanoseconds(LOG_RECORD.time, ...record.hrTime);
    writer.varint(LOG_RECORD.severityNumber, record.severityNumber ?? 0);
    const body = writer.begin(LOG_RECORD.body);
    writer.string(ANY_VALUE.string, String(record.body));
    writer.end(body);
    this.#attributes(writer, LOG_RECORD.attributes, record.attributes);
    writer.nanoseconds(LOG_RECORD.observedTime, ...record.hrTimeObserved);
    writer.string(LOG_RECORD.eventName, record.eventName ?? '');
    writer.end(start);
  }

  #attributes(writer: ProtobufWriter, tag: number, attributes: Attributes): void {
    for (const name in attributes) {
      const value = attributes[name];
      const key = this.#key(name);
      if (typeof value === 'string') {
        const length = utf8Length(value);
        writeHead(writer, tag, key, 1 + varintLength(length) + length);
        writer.string(ANY_VALUE.string, value, length);
      } else if (isCount(value)) {
        writeHead(writer, tag, key, 1 + varintLength(value));
        writer.varint(ANY_VALUE.int, value);
      } else {
        const start = writer.begin(tag);
        writer.raw(key);
        writeValue(writer, KEY_VALUE.value, value);
        writer.end(start);
      }
    }
  }

  /** The key's field; there are few keys, and labels of pods. */
  #key(name: string): Uint8Array {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const writer = new ProtobufWriter();
    writer.string(KEY_VALUE.key, name);
    const key = writer.take();
    this.#keys.set(name, key);
    return key;
  }

  #resource(resource: Resource): Uint8Array {
    const known = this.#resources.get(resource);
    if (known !== undefined) return known;
    const writer = new ProtobufWriter();
    const start = writer.begin(RESOURCE_LOGS.resource);
    this.#attributes(writer, RESOURCE.attributes, resource.attributes);
    writer.end(start);
    const bytes = writer.take();
    this.#resources.set(resource, bytes);
    return bytes;
  }
}

/** A KeyValue up to the content of its AnyValue, which has this length. */
function writeHead(writer: ProtobufWriter, tag: number, key: Uint8Array, length: number): void {
  writer.varint(tag, key.length + 1 + varintLength(length) + length);
  writer.raw(key);
  writer.varint(KEY_VALUE.value, length);
}

function writeValue(writer: ProtobufWriter, tag: number, value: AnyValue): void {
  const start = writer.begin(tag);
  if (typeof value === 'string') writer.string(ANY_VALUE.string, value);
  else if (isCount(value)) writer.varint(ANY_VALUE.int, value);
  else if (typeof value === 'boolean') writer.varint(ANY_VALUE.bool, value ? 1 : 0);
  else if (Array.isArray(value)) {
    const array = writer.begin(ANY_VALUE.array);
    for (const one of value) writeValue(writer, ARRAY_VALUE.values, one);
    writer.end(array);
  } else throw new TypeError(`an attribute cannot be ${JSON.stringify(value)}`);
  writer.end(start);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}

function writeScope(writer: ProtobufWriter, { name, version }: InstrumentationScope): void {
  const start = writer.begin(SCOPE_LOGS.scope);
  writer.string(SCOPE.name, name);
  writer.string(SCOPE.version, version ?? '');
  writer.end(start);
}
