import type { LogRecordEncoder } from './log-record-encoder.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Resource } from './resources.ts';

/** Field numbers and wire types: opentelemetry/proto/{collector/logs,logs,common}/v1. */
const REQUEST = { resourceLogs: 0x0a };
const RESOURCE_LOGS = { scopeLogs: 0x12, schemaUrl: 0x1a };
const SCOPE_LOGS = { scope: 0x0a, schemaUrl: 0x1a };
const SCOPE = { name: 0x0a, version: 0x12 };
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

/**
 * Log records that are encoded once, however often they are sent: any that follow each other become an
 * ExportLogsServiceRequest by copying. All are of one scope. Records of different resources keep their order, for which the
 * stock serializer has no way.
 */
export class RequestBuilder {
  readonly #encoder: LogRecordEncoder;
  readonly #version: string;
  readonly #records = new ProtobufWriter();
  /** of each record: where it ends, and what stands around it */
  readonly #ends: number[] = [];
  readonly #resources: Resource[] = [];

  /** The scope is of this version of the agent. Others may use the encoder too. */
  constructor(version: string, encoder: LogRecordEncoder) {
    this.#version = version;
    this.#encoder = encoder;
  }

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

  /**
   * Adds the record of a line, which is without its line feed; returns its time in Unix seconds. Throws
   * a SyntaxError, and adds nothing, for what is no line of a journal.
   */
  add(bytes: Buffer, from: number, to: number): number {
    const length = this.#records.length;
    try {
      const { resource, seconds } = this.#encoder.encode(this.#records, bytes, from, to);
      this.#ends.push(this.#records.length);
      this.#resources.push(resource);
      return seconds;
    } catch (error) {
      this.#records.clear(length);
      throw error;
    }
  }

  /** The request for records `first` to below `end`; valid until the writer is used again. */
  request(first: number, end: number, writer = new ProtobufWriter()): Buffer {
    writer.clear();
    for (let at = first; at < end; ) {
      const resource = this.#resources[at] as Resource;
      const from = this.#ends[at - 1] ?? 0;
      while (at < end && this.#resources[at] === resource) at++;
      const resourceLogs = writer.begin(REQUEST.resourceLogs);
      writer.raw(resource.encoded);
      const scopeLogs = writer.begin(RESOURCE_LOGS.scopeLogs);
      this.#writeScope(writer);
      writer.raw(this.#records.written(from, this.#ends[at - 1]));
      writer.string(SCOPE_LOGS.schemaUrl, SCHEMA_URL);
      writer.end(scopeLogs);
      writer.string(RESOURCE_LOGS.schemaUrl, SCHEMA_URL);
      writer.end(resourceLogs);
    }
    return writer.written();
  }

  #writeScope(writer: ProtobufWriter): void {
    const start = writer.begin(SCOPE_LOGS.scope);
    writer.string(SCOPE.name, 'vcml-agent');
    writer.string(SCOPE.version, this.#version);
    writer.end(start);
  }
}
