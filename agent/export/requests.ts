import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { LogRecord } from './log-record.ts';
import { writeAttributes, writeLogRecord } from './log-record-writer.ts';
import { ProtobufWriter } from './protobuf.ts';

/** Field numbers and wire types: opentelemetry/proto/{collector/logs,logs,resource,common}/v1. */
const REQUEST = { resourceLogs: 0x0a };
const RESOURCE_LOGS = { resource: 0x0a, scopeLogs: 0x12, schemaUrl: 0x1a };
const RESOURCE = { attributes: 0x0a };
const SCOPE_LOGS = { scope: 0x0a, schemaUrl: 0x1a };
const SCOPE = { name: 0x0a, version: 0x12 };

/** Of the one request that is being made; it is copied when it is sent. */
const writer = new ProtobufWriter();
const resources = new WeakMap<Resource, Uint8Array>();

/**
 * Log records that are encoded once, however often they are sent: any that follow each other become an
 * ExportLogsServiceRequest by copying. All are of one scope. Records of different resources keep their order, for which the
 * stock serializer has no way.
 */
export class Requests {
  readonly #records = new ProtobufWriter();
  /** of each record: where it ends, and what stands around it */
  readonly #ends: number[] = [];
  readonly #resources: Resource[] = [];
  #scope: InstrumentationScope | undefined;

  /** How many records there are. */
  get count(): number {
    return this.#ends.length;
  }

  /** Forgets the records; the memory stays for others. */
  clear(): void {
    this.#records.clear();
    this.#ends.length = 0;
    this.#resources.length = 0;
  }

  /** Adds a record; throws a TypeError, and adds nothing, for a value that no journal has. */
  add(record: LogRecord): void {
    const from = this.#records.length;
    try {
      writeLogRecord(this.#records, record);
    } catch (error) {
      this.#records.clear(from);
      throw error;
    }
    this.#ends.push(this.#records.length);
    this.#resources.push(record.resource);
    this.#scope = record.instrumentationScope;
  }

  /** The request for records `first` to below `end`; valid until another one is made, of whichever records. */
  request(first: number, end: number): Uint8Array {
    writer.clear();
    for (let at = first; at < end; ) {
      const resource = this.#resources[at] as Resource;
      const from = this.#ends[at - 1] ?? 0;
      while (at < end && this.#resources[at] === resource) at++;
      const resourceLogs = writer.begin(REQUEST.resourceLogs);
      writer.raw(encoded(resource));
      const scopeLogs = writer.begin(RESOURCE_LOGS.scopeLogs);
      writeScope(this.#scope);
      writer.raw(this.#records.written(from, this.#ends[at - 1]));
      writer.string(SCOPE_LOGS.schemaUrl, this.#scope?.schemaUrl ?? '');
      writer.end(scopeLogs);
      writer.string(RESOURCE_LOGS.schemaUrl, resource.schemaUrl ?? '');
      writer.end(resourceLogs);
    }
    return writer.written();
  }
}

function encoded(resource: Resource): Uint8Array {
  const known = resources.get(resource);
  if (known !== undefined) return known;
  const field = new ProtobufWriter();
  const start = field.begin(RESOURCE_LOGS.resource);
  writeAttributes(field, RESOURCE.attributes, resource.attributes);
  field.end(start);
  const bytes = Uint8Array.from(field.written());
  resources.set(resource, bytes);
  return bytes;
}

function writeScope(scope: InstrumentationScope | undefined): void {
  const start = writer.begin(SCOPE_LOGS.scope);
  writer.string(SCOPE.name, scope?.name ?? '');
  writer.string(SCOPE.version, scope?.version ?? '');
  writer.end(start);
}
