import {
  type IExportLogsServiceResponse,
  type ISerializer,
  ProtobufLogsSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { JournalLogRecord } from './journal-log-record.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Scope } from './scope.ts';

/** Field numbers and wire types: opentelemetry/proto/{collector/logs,logs,common}/v1. */
const REQUEST = { resourceLogs: 0x0a };
const RESOURCE_LOGS = { scopeLogs: 0x12, schemaUrl: 0x1a };
const SCOPE_LOGS = { scope: 0x0a, schemaUrl: 0x1a };
const SCOPE = { name: 0x0a, version: 0x12 };

/**
 * Makes an ExportLogsServiceRequest. It copies the records of the journal, which are encoded
 * already, and lets the stock serializer encode all others. Records keep their order, also among
 * different resources; the stock serializer groups them.
 */
export class JournalLogsSerializer
  implements ISerializer<ReadableLogRecord[], IExportLogsServiceResponse>
{
  readonly #writer = new ProtobufWriter();

  /** The request is valid until the next one is made. */
  serializeRequest(records: ReadableLogRecord[]): Buffer {
    const writer = this.#writer;
    writer.clear();
    for (let at = 0; at < records.length; ) {
      const record = records[at];
      if (record instanceof JournalLogRecord) at += this.#writeEncoded(record, records, at);
      else {
        // Protobuf messages are merged by concatenation: a request can be written in parts.
        const request = ProtobufLogsSerializer.serializeRequest(records.slice(at, at + 1));
        if (request !== undefined) writer.raw(request);
        at += 1;
      }
    }
    return writer.written();
  }

  deserializeResponse(data: Uint8Array): IExportLogsServiceResponse {
    return ProtobufLogsSerializer.deserializeResponse(data);
  }

  /**
   * Writes the record at `at` and the ones after it that have the same resource; returns their
   * number.
   */
  #writeEncoded(
    { batch, index }: JournalLogRecord,
    records: readonly ReadableLogRecord[],
    at: number,
  ): number {
    const resource = batch.resourceOf(index);
    let count = 1;
    for (; at + count < records.length; count++) {
      const next = records[at + count];
      if (!(next instanceof JournalLogRecord)) break;
      if (next.batch !== batch || next.index !== index + count) break;
      if (batch.resourceOf(next.index) !== resource) break;
    }
    const writer = this.#writer;
    const resourceLogs = writer.begin(REQUEST.resourceLogs);
    writer.raw(resource.encoded);
    const scopeLogs = writer.begin(RESOURCE_LOGS.scopeLogs);
    this.#writeScope(batch.scope);
    writer.raw(batch.encoded(index, index + count));
    writer.string(SCOPE_LOGS.schemaUrl, batch.scope.schemaUrl);
    writer.end(scopeLogs);
    writer.string(RESOURCE_LOGS.schemaUrl, batch.scope.schemaUrl);
    writer.end(resourceLogs);
    return count;
  }

  #writeScope({ name, version }: Scope): void {
    const writer = this.#writer;
    const start = writer.begin(SCOPE_LOGS.scope);
    writer.string(SCOPE.name, name);
    writer.string(SCOPE.version, version);
    writer.end(start);
  }
}
