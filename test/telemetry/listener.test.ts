import { equal, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Listener } from '../../agent/telemetry/listener.ts';

/** A listener on a port of its own on every loopback address; the port. */
async function startListener(t: TestContext): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const listener = new Listener({
    address: { host: '0.0.0.0', port: 0 },
    paths: { '/livez': (response) => void response.end('fine') },
    log: (_, fields) =>
      resolve(Number(`${(fields as { address?: string }).address}`.split(':')[1])),
  });
  t.after(() => listener.close());
  return promise;
}

/** A connection from another host's address: every one in 127.0.0.0/8 is this machine's. */
async function connect(t: TestContext, port: number, localAddress: string): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port, localAddress });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function probe(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/livez`, {
    signal: AbortSignal.timeout(2000),
  });
  return response.text();
}

/** The seconds until a connection is ended from the other side. */
async function endedAfter(socket: Socket): Promise<number> {
  const began = performance.now();
  socket.resume();
  await once(socket, 'close');
  return (performance.now() - began) / 1000;
}

test('hundreds of idle connections of one pod keep no probe out', async (t) => {
  const port = await startListener(t);
  for (let n = 0; n < 200; n++) await connect(t, port, '127.0.0.66');
  equal(await probe(port), 'fine');
});

test('single connections of many pods keep no probe out either', async (t) => {
  const port = await startListener(t);
  for (let n = 1; n <= 100; n++) await connect(t, port, `127.0.1.${n}`);
  equal(await probe(port), 'fine');
});

test('the client with the most connections loses its oldest one', async (t) => {
  const port = await startListener(t);
  const other = await connect(t, port, '127.0.0.9');
  const own: Socket[] = [];
  for (let n = 0; n < 31; n++) own.push(await connect(t, port, '127.0.0.66'));
  const [oldest] = own;
  ok(oldest);
  const ended = once(oldest, 'close');
  oldest.resume();
  own.push(await connect(t, port, '127.0.0.66'));
  await ended;
  equal(other.closed, false);
  equal(own.at(-1)?.closed, false);
});

test('a client that sends no request, or a byte now and then, is disconnected within two seconds', async (t) => {
  const port = await startListener(t);
  const silent = await connect(t, port, '127.0.0.66');
  const slow = await connect(t, port, '127.0.0.67');
  const trickle = setInterval(() => slow.write('G'), 100);
  t.after(() => clearInterval(trickle));
  const [first, second] = await Promise.all([endedAfter(silent), endedAfter(slow)]);
  ok(first < 4 && second < 4, `${first} and ${second} s`);
});

test('a client may send another request on the same connection', async (t) => {
  const port = await startListener(t);
  const socket = await connect(t, port, '127.0.0.1');
  const answers: string[] = [];
  socket.on('data', (data) => answers.push(`${data}`));
  for (const wait of [0, 300]) {
    await sleep(wait);
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await sleep(200);
  }
  equal(answers.join('').match(/fine/g)?.length, 2);
});
