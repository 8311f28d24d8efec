import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { execLine } from '../support/journal/lines.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';

/**
 * A message's flag and length, before gzip's header, whose ninth byte (RFC 1952) shows the level.
 */
const PREFIX = 5;
const COMPRESSED = 1;
const FASTEST = 4;

test('gRPC compresses with gzip at its fastest level', async (t) => {
  const bed = await createExportBed(t);
  const received = Promise.withResolvers<Buffer>();
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  server.on('stream', (stream: ServerHttp2Stream) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      received.resolve(Buffer.concat(parts));
      stream.respond(
        { 'content-type': 'application/grpc', 'grpc-status': '0' },
        { endStream: true },
      );
    });
  });
  await once(server, 'listening');
  bed.start((server.address() as AddressInfo).port);
  await bed.write(execLine(0));
  const message = await received.promise;
  await bed.stop();
  assert.equal(message[0], COMPRESSED);
  assert.equal(message[PREFIX + 8], FASTEST);
  assert.ok(gunzipSync(message.subarray(PREFIX)).includes('/usr/bin/p0'));
});
