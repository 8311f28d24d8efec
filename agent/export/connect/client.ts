import { type ClientUnaryCall, Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import {
  type IExportLogsServiceResponse,
  ProtobufLogsSerializer,
} from '@opentelemetry/otlp-transformer';
import { failureOf, type Outcome } from '../send/outcome.ts';
import { createChannelCredentials } from './channel-credentials.ts';
import type { Credentials } from './credential-files.ts';
import type { Endpoint } from './endpoint.ts';
import { compressFast } from './grpc-internals.ts';

/** The gRPC method of OTLP, as OTLPLogExporter calls it. */
const METHOD = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
/** Of grpc.default_compression_algorithm. */
const COMPRESSION = { none: 0, gzip: 2 } as const;

/** So long after its deadline a call may tell that it is over. */
const RESULT_MS = 5000;
/** What a library that forgets a call would leave to wait for, and to wait for without end. */
const NO_RESULT = failureOf(
  Object.assign(new Error('the call has no result'), { code: status.DEADLINE_EXCEEDED }),
);
const CLOSED = failureOf(
  Object.assign(new Error('the connection was closed'), { code: status.CANCELLED }),
);

export interface ClientOptions {
  readonly endpoint: Endpoint;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMs: number;
  readonly userAgent: string;
}

/**
 * One connection to a collector. The transport of OTLPLogExporter does the same, and copies each request
 * first: garbage for which V8 goes through its whole heap more often than once a second.
 */
export interface Client {
  /** One call, no retries; never rejects. The request must not change before it is done. */
  send(request: Buffer): Promise<Outcome>;
  close(): void;
}

/** Makes a client that connects at its first call; it shares no connection, and no back-off, with another. */
export function createClient(options: ClientOptions, credentials: Credentials): Client {
  const metadata = metadataOf(credentials);
  const client = new GrpcClient(
    options.endpoint.target,
    createChannelCredentials(options.endpoint, credentials),
    {
      // Clients of a shared pool also share their back-off, of up to two minutes.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.default_compression_algorithm': COMPRESSION[options.compression],
      'grpc.primary_user_agent': options.userAgent,
    },
  );
  compressFast(client);
  return {
    send(request) {
      return new Promise((resolve) => {
        const deadline = Date.now() + options.timeoutMs;
        let call: ClientUnaryCall | undefined;
        const timer = setTimeout(() => {
          call?.cancel();
          resolve(NO_RESULT);
        }, options.timeoutMs + RESULT_MS);
        function done(outcome: Outcome): void {
          clearTimeout(timer);
          resolve(outcome);
        }
        try {
          call = client.makeUnaryRequest(
            ...([METHOD, asItIs, responseIn] as const),
            ...([request, metadata, { deadline }] as const),
            (error, response) => done(error === null ? acceptedBy(response) : failureOf(error)),
          );
        } catch {
          done(CLOSED);
        }
      });
    },
    close() {
      client.close();
    },
  };
}

function asItIs(request: Buffer): Buffer {
  return request;
}

/** A collector that takes records has taken them, whatever it says then. */
function responseIn(bytes: Buffer): IExportLogsServiceResponse {
  try {
    return ProtobufLogsSerializer.deserializeResponse(bytes);
  } catch {
    return {};
  }
}

function acceptedBy(response: IExportLogsServiceResponse | undefined): Outcome {
  const { rejectedLogRecords = 0, errorMessage = '' } = response?.partialSuccess ?? {};
  return { kind: 'accepted', rejected: Number(rejectedLogRecords), message: errorMessage };
}

function metadataOf({ headers }: Credentials): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
