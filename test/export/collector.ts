import { Metadata, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { linesOf } from './otlp.ts';
import { decodeRequest } from './protobuf.ts';

/** How a collector answers a call; lines that it does not accept count as never received. */
export type Answer =
  | { readonly kind: 'accept'; readonly rejected?: number; readonly message?: string }
  | { readonly kind: 'accept'; readonly response: Buffer }
  | {
      readonly kind: 'fail';
      readonly code: number;
      readonly details?: string;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'hang' };

export interface Call {
  readonly lines: readonly string[];
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly at: number;
  readonly answer: Answer;
}

export interface CollectorOptions {
  /** host:port; port 0 takes a free one */
  readonly address?: string;
  readonly credentials?: ServerCredentials;
  readonly maxBytes?: number;
  answer?(lines: readonly string[], call: number): Answer;
}

export interface Collector {
  readonly port: number;
  readonly calls: readonly Call[];
  /** of the accepted calls, in their order */
  readonly lines: readonly string[];
  /** Ends it as a crash would. */
  kill(): void;
}

const SERVICE: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

/** Starts a gRPC server that speaks OTLP, and fails on demand. */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const { address = '127.0.0.1:0', credentials = ServerCredentials.createInsecure() } = options;
  const calls: Call[] = [];
  const lines: string[] = [];
  const server = new Server({ 'grpc.max_receive_message_length': options.maxBytes ?? 4 << 20 });
  server.addService(SERVICE, {
    Export: (
      { request, metadata }: { request: Buffer; metadata: Metadata },
      done: (error: object | null, response?: Buffer) => void,
    ) => {
      const received = linesOf(decodeRequest(request));
      const answer = options.answer?.(received, calls.length) ?? { kind: 'accept' };
      calls.push({
        lines: received,
        bytes: request.length,
        metadata: metadata.getMap(),
        at: performance.now(),
        answer,
      });
      if (answer.kind === 'accept') {
        lines.push(...received);
        done(null, 'response' in answer ? answer.response : response(answer));
      } else if (answer.kind === 'fail') done(failure(answer));
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, calls, lines, kill: () => server.forceShutdown() };
}

/** ExportLogsServiceResponse */
function response({ rejected = 0, message = '' }): Buffer {
  if (rejected === 0 && message === '') return Buffer.alloc(0);
  const partial = Buffer.concat([field(1, rejected), field(2, Buffer.from(message))]);
  return field(1, partial);
}

function failure({ code, details, retryAfterMs }: Extract<Answer, { kind: 'fail' }>): object {
  const metadata = new Metadata();
  if (retryAfterMs !== undefined)
    metadata.set('grpc-status-details-bin', statusWithRetryInfo(code, retryAfterMs));
  return { code, details: details ?? `told to answer ${status[code]}`, metadata };
}

/** google.rpc.Status with a google.rpc.RetryInfo among its details: milliseconds, or the Duration itself */
export function statusWithRetryInfo(code: number, retryAfter: number | Buffer): Buffer {
  const duration = typeof retryAfter === 'number' ? durationOf(retryAfter) : retryAfter;
  const any = (type: string, value: Buffer) =>
    field(
      3,
      Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${type}`)), field(2, value)]),
    );
  return Buffer.concat([
    field(1, code),
    field(2, Buffer.from('busy')),
    any('google.rpc.ErrorInfo', field(1, Buffer.from('why'))),
    any('google.rpc.RetryInfo', field(1, duration)),
  ]);
}

function durationOf(ms: number): Buffer {
  return Buffer.concat([field(1, Math.floor(ms / 1000)), field(2, (ms % 1000) * 1e6)]);
}

function field(number: number, value: number | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
