import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
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
  /** Ends it like a crash. */
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
      const { received, damage } = read(request);
      const answer = damage ?? options.answer?.(received, calls.length) ?? { kind: 'accept' };
      calls.push({
        lines: received,
        bytes: request.length,
        metadata: metadata.getMap(),
        at: performance.now(),
        answer,
      });
      if (answer.kind === 'accept') {
        lines.push(...received);
        done(null, 'response' in answer ? answer.response : Buffer.from(response(answer)));
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

/** Returns the lines of a request; a damaged one is refused, as other servers of gRPC refuse it. */
function read(request: Buffer): { received: readonly string[]; damage?: Answer } {
  try {
    return { received: linesOf(decodeRequest(request)) };
  } catch (error) {
    const details = `the request is damaged: ${error}`;
    return { received: [], damage: { kind: 'fail', code: status.INTERNAL, details } };
  }
}

/** ExportLogsServiceResponse */
function response({ rejected = 0, message = '' }): Uint8Array {
  const writer = new BinaryWriter();
  if (rejected === 0 && message === '') return writer.finish();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int64(rejected);
  writer.tag(2, WireType.LengthDelimited).string(message);
  return writer.join().finish();
}

function failure({ code, details, retryAfterMs }: Extract<Answer, { kind: 'fail' }>): object {
  const metadata = new Metadata();
  if (retryAfterMs !== undefined)
    metadata.set('grpc-status-details-bin', statusWithRetryInfo(code, retryAfterMs));
  return { code, details: details ?? `asked to answer ${status[code]}`, metadata };
}

/** google.rpc.Status with a google.rpc.RetryInfo among its details: milliseconds, or the Duration itself */
export function statusWithRetryInfo(code: number, retryAfter: number | Uint8Array): Buffer {
  const duration = typeof retryAfter === 'number' ? durationOf(retryAfter) : retryAfter;
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code);
  writer.tag(2, WireType.LengthDelimited).string('busy');
  writeDetail(writer, 'google.rpc.ErrorInfo', Buffer.from('why'));
  writeDetail(writer, 'google.rpc.RetryInfo', duration);
  return Buffer.from(writer.finish());
}

/** A google.protobuf.Any of a message that has one field. */
function writeDetail(writer: BinaryWriter, type: string, value: Uint8Array): void {
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(`type.googleapis.com/${type}`);
  writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).bytes(value);
  writer.join().join();
}

/** google.protobuf.Duration */
function durationOf(ms: number): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(Math.floor(ms / 1000));
  writer.tag(2, WireType.Varint).int32((ms % 1000) * 1e6);
  return writer.finish();
}
