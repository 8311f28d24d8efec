import { Metadata } from '@grpc/grpc-js';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import {
  type IExportLogsServiceResponse,
  LogsExporterMetricsHelper,
  ProtobufLogsSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { createCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import type { Identity } from './identity.ts';
import { failureOf, type Outcome } from './outcome.ts';
import type { LogsSerializer } from './serializer.ts';

/** The gRPC method of OTLP, as OTLPLogExporter calls it. */
const SERVICE = 'LogsExportService';
const METHOD = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

export interface ClientOptions {
  readonly endpoint: Endpoint;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly serializer: LogsSerializer;
}

/** One connection to a collector: the transport of OTLPLogExporter, and a serializer of our own. */
export interface Client {
  /** One call, no retries; never rejects. Not to be called again before it is done. */
  send(records: ReadableLogRecord[]): Promise<Outcome>;
  close(): void;
}

/** Makes a client that connects at its first call; it shares no connection, and no back-off, with another. */
export function createClient(options: ClientOptions, identity: Identity): Client {
  let response: IExportLogsServiceResponse = {};
  const delegate = createOtlpGrpcExportDelegate<ReadableLogRecord[], IExportLogsServiceResponse>(
    {
      url: options.endpoint.target,
      compression: options.compression,
      timeoutMillis: options.timeoutMs,
      concurrencyLimit: 1,
      userAgent: options.userAgent,
      metadata: () => metadataOf(identity),
      credentials: () => createCredentials(options.endpoint, identity),
    },
    {
      serializeRequest: (records) => options.serializer.serialize(records),
      deserializeResponse(bytes) {
        response = ProtobufLogsSerializer.deserializeResponse(bytes);
        return {}; // Of a partial success the exporter would tell its diagnostics alone.
      },
    },
    'otlp_grpc_log_exporter',
    LogsExporterMetricsHelper,
    undefined,
    SERVICE,
    METHOD,
  );
  return {
    async send(records) {
      response = {};
      let result: ExportResult;
      try {
        result = await new Promise((resolve) => {
          delegate.export(records, resolve);
        });
      } catch (error) {
        // One of them cannot be serialized; alone it will be set aside.
        return { kind: 'refused', code: 'INVALID_ARGUMENT', details: (error as Error).message };
      }
      if (result.code === ExportResultCode.FAILED) return failureOf(result.error);
      const { rejectedLogRecords = 0, errorMessage = '' } = response.partialSuccess ?? {};
      return { kind: 'accepted', rejected: Number(rejectedLogRecords), message: errorMessage };
    },
    close() {
      delegate.shutdown().catch(() => {});
    },
  };
}

function metadataOf({ headers }: Identity): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
