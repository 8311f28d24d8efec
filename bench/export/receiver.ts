/**
 * Runs a receiver of OTLP/gRPC that accepts everything without reading it, on the given port or on any
 * one, and prints the port: receiver.ts [PORT].
 */

import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

const bytes = (message: Buffer) => message;
const service: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};
const server = new Server();
server.addService(service, {
  Export: (_call: unknown, done: (error: null, response: Buffer) => void) =>
    done(null, Buffer.alloc(0)),
});
server.bindAsync(
  `127.0.0.1:${process.argv[2] ?? 0}`,
  ServerCredentials.createInsecure(),
  (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  },
);
