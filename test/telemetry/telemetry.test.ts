import { equal, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Source } from '../../agent/telemetry/readings.ts';
import { Telemetry } from '../../agent/telemetry/telemetry.ts';

/** Telemetry of a source that counts how often it is read; its port. */
async function start(t: TestContext) {
  const { promise, resolve } = Promise.withResolvers<number>();
  const telemetry = new Telemetry({
    version: '1',
    metadata: false,
    address: { host: '127.0.0.1', port: 0 },
    probeAddress: undefined,
    log: (_, fields) =>
      resolve(Number(`${(fields as { address?: string }).address}`.split(':')[1])),
  });
  t.after(() => telemetry.close());
  const source = {
    reads: 0,
    async read() {
      source.reads += 1;
      return {};
    },
    drain: () => ({ turns: 0, isDue: false, isWriting: false }),
  } satisfies Source & { reads: number };
  telemetry.begin(source);
  return { source, port: await promise };
}

test('a client that sends a thousand requests before an answer causes few readings', async (t) => {
  const { source, port } = await start(t);
  const socket = createConnection({ host: '127.0.0.1', port });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
  socket.resume();
  await once(socket, 'close');
  ok(source.reads <= 5, `${source.reads} readings`);
  equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200);
});
