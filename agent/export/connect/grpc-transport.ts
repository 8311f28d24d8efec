import { type ClientUnaryCall, Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';
import { createChannelCredentials } from './channel-credentials.ts';
import type { Credentials } from './credential-files.ts';
import type { Endpoint } from './endpoint.ts';
import { compressFast } from './grpc-internals.ts';

/** The gRPC method of OTLP, as OTLPLogExporter calls it. */
const METHOD = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
/** Values of grpc.default_compression_algorithm. */
const COMPRESSION = { none: 0, gzip: 2 } as const;
/** How long after its deadline a call may still report its result. */
const RESULT_MS = 5000;
const NOTHING = Buffer.alloc(0);

export interface GrpcTransportOptions {
  readonly endpoint: Endpoint;
  readonly compression: 'gzip' | 'none';
  readonly userAgent: string;
  /** The credentials as they are now: another object when they have changed. */
  readonly credentials: () => Credentials;
}

/**
 * One connection to a collector, opened at the first call, and again when the credentials change.
 * The transport of OTLPLogExporter copies each request, so that V8 collects its whole heap more
 * often than once a second, and it cannot be asked to connect again.
 */
export class GrpcTransport implements IExporterTransport {
  readonly #options: GrpcTransportOptions;
  #credentials: Credentials | undefined;
  #client: GrpcClient | undefined;
  #metadata = new Metadata();
  #isShutDown = false;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  /**
   * Makes one call, without retries; never rejects. The request must not change before it is done.
   */
  send(request: Uint8Array, timeoutMs: number): Promise<ExportResponse> {
    const { promise, resolve } = Promise.withResolvers<ExportResponse>();
    let call: ClientUnaryCall | undefined;
    // A library that forgets a call would leave the export waiting without end.
    const timer = setTimeout(() => {
      call?.cancel();
      resolve(failure(status.DEADLINE_EXCEEDED, 'the call has no result'));
    }, timeoutMs + RESULT_MS);
    const done = (response: ExportResponse) => {
      clearTimeout(timer);
      resolve(response);
    };
    try {
      call = this.#connected().makeUnaryRequest(
        METHOD,
        asItIs,
        asItIs,
        bufferOf(request),
        this.#metadata,
        { deadline: Date.now() + timeoutMs },
        (error, data = NOTHING) =>
          done(error === null ? { status: 'success', data } : { status: 'failure', error }),
      );
    } catch (error) {
      done(failure(status.CANCELLED, `the connection was closed: ${error}`));
    }
    return promise;
  }

  /**
   * Closes the connection; the next call opens another, to which the back-off of this one does not
   * apply.
   */
  reconnect(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** Closes the connection for good; later calls fail. */
  shutdown(): void {
    this.#isShutDown = true;
    this.#client?.close();
  }

  #connected(): GrpcClient {
    if (this.#isShutDown) throw new Error('the transport is shut down');
    const credentials = this.#options.credentials();
    if (credentials !== this.#credentials) this.reconnect();
    this.#credentials = credentials;
    if (this.#client === undefined) {
      this.#client = createClient(this.#options, credentials);
      this.#metadata = metadataOf(credentials);
    }
    return this.#client;
  }
}

/** Makes a client that shares no connection, and no back-off, with another. */
function createClient(
  { endpoint, compression, userAgent }: GrpcTransportOptions,
  credentials: Credentials,
): GrpcClient {
  const client = new GrpcClient(endpoint.target, createChannelCredentials(endpoint, credentials), {
    // Clients of a shared pool also share their back-off, of up to two minutes.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_compression_algorithm': COMPRESSION[compression],
    'grpc.primary_user_agent': userAgent,
  });
  compressFast(client);
  return client;
}

function metadataOf({ headers }: Credentials): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function asItIs(message: Buffer): Buffer {
  return message;
}

/** The same bytes, not a copy of them. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function failure(code: status, details: string): ExportResponse {
  return { status: 'failure', error: Object.assign(new Error(details), { code, details }) };
}
