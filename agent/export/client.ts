import { Metadata, status } from '@grpc/grpc-js';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { createOtlpGrpcExportDelegate } from '@opentelemetry/otlp-grpc-exporter-base';
import {
  type IExportLogsServiceResponse,
  ProtobufLogsSerializer,
} from '@opentelemetry/otlp-transformer';
import { createCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import type { Identity } from './identity.ts';
import { failureOf, type Outcome } from './outcome.ts';

/** The gRPC method of OTLP, as OTLPLogExporter calls it. */
const SERVICE = 'LogsExportService';
const METHOD = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** So long after its deadline a call may tell that it is over. */
const RESULT_MS = 5000;
/** What a library that forgets a call would leave to wait for, and to wait for without end. */
const NO_RESULT: ExportResult = {
  code: ExportResultCode.FAILED,
  error: Object.assign(new Error('the call has no result'), { code: status.DEADLINE_EXCEEDED }),
};

export interface ClientOptions {
  readonly endpoint: Endpoint;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMs: number;
  readonly userAgent: string;
}

/** One connection to a collector: the transport of OTLPLogExporter, with requests that are encoded already. */
export interface Client {
  /** One call, no retries; never rejects. Not to be called again before it is done. */
  send(request: Uint8Array): Promise<Outcome>;
  close(): void;
}

/** Makes a client that connects at its first call; it shares no connection, and no back-off, with another. */
export function createClient(options: ClientOptions, identity: Identity): Client {
  let response: IExportLogsServiceResponse = {};
  const delegate = createOtlpGrpcExportDelegate<Uint8Array, IExportLogsServiceResponse>(
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
      serializeRequest: (request) => request,
      deserializeResponse(bytes) {
        response = ProtobufLogsSerializer.deserializeResponse(bytes);
        return {}; // Of a partial success the exporter would tell its diagnostics alone.
      },
    },
    'otlp_grpc_log_exporter',
    { name: 'log', countItems: () => 0 }, // of metrics that are not collected
    undefined,
    SERVICE,
    METHOD,
  );
  return {
    async send(request) {
      response = {};
      const result = await new Promise<ExportResult>((resolve) => {
        const timer = setTimeout(() => resolve(NO_RESULT), options.timeoutMs + RESULT_MS);
        delegate.export(request, (found) => {
          clearTimeout(timer);
          resolve(found);
        });
      });
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
