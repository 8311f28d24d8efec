import { deepEqual, equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createAuthority } from '../../../support/authority.ts';
import { NO_CLICKHOUSE, startClickHouse } from '../../../support/clickhouse/clickhouse.ts';
import { PASSWORD } from '../../../support/clickhouse/server-config.ts';
import { type Front, startTlsFront } from '../../../support/clickhouse/tls-front.ts';
import { type Ran, vcml, vcmlWith } from '../../../support/forensics.ts';
import { freePort } from '../../../support/free-ports.ts';
import { type CleanUp, temporaryFolder } from '../../../support/temporary-folder.ts';
import { until } from '../../../support/until.ts';

const options = { skip: NO_CLICKHOUSE };

const folder = temporaryFolder();
const known = createAuthority(folder, 'known');
const other = createAuthority(folder, 'other');
const server = known.issue('server');
const CA = ['--store-ca', known.certificate];

const init = (address: string, ...more: readonly string[]) =>
  vcml('store', 'init', address, ...more);
const secure = (port: number, user = 'default', host = '127.0.0.1') =>
  `clickhouse://${user}@${host}:${port}/vcml?secure=true`;
const certified = (name: { readonly certificate: string; readonly key: string }) => [
  '--store-cert',
  name.certificate,
  '--store-key',
  name.key,
];

/** Starts a server behind TLS; returns the port of HTTPS. */
async function startSecure(t: CleanUp, front: Front): Promise<number> {
  const { place } = await startClickHouse(t);
  return startTlsFront(t, place.http, front);
}

/** Checks that a command refuses with one sentence. */
function refuses({ code, stdout, stderr }: Ran, sentence: RegExp, expected = 2): void {
  deepEqual([code, stdout], [expected, ''], stderr);
  match(stderr, /^vcml: [^\n]*\n$/);
  match(stderr, sentence);
}

test('a store is made and read over TLS', options, async (t) => {
  const port = await startSecure(t, server);
  const made = await init(secure(port), ...CA);
  equal(made.code, 0, made.stderr);
  for (const host of ['127.0.0.1', 'localhost']) {
    const read = await vcml('gaps', '--since', '1h', secure(port, 'default', host), ...CA);
    equal(read.code, 0, read.stderr);
  }
  const env = { VCML_STORE_PASSWORD: PASSWORD };
  equal((await vcmlWith(env, 'store', 'init', secure(port, 'maker'), ...CA)).code, 0);
});

test('an authority that is not known is refused with what to name', options, async (t) => {
  const port = await startSecure(t, server);
  refuses(
    await init(secure(port)),
    /^vcml: ClickHouse at https:\/\/127\.0\.0\.1:\d+ has a certificate from an authority that this machine does not know: name the authority with --store-ca\n/,
  );
  refuses(
    await init(secure(port), '--store-ca', other.certificate),
    /has a certificate that is not from the authority in --store-ca: name the one that issued it\n/,
  );
});

test('a certificate for another name is refused', options, async (t) => {
  const elsewhere = known.issue('elsewhere', 'DNS:elsewhere.example');
  const port = await startSecure(t, elsewhere);
  refuses(
    await init(secure(port), ...CA),
    /has a certificate for other names: name the server as its certificate does\n/,
  );
});

test('a certificate that has expired is refused', options, async (t) => {
  const expired = known.issue('expired', undefined, 0);
  const port = await startSecure(t, expired);
  await pause(1100);
  refuses(
    await init(secure(port), ...CA),
    /has a certificate that has expired: renew it on the server\n/,
  );
});

test('TLS at a port without it, and no TLS at a port with it, are named', options, async (t) => {
  const { place } = await startClickHouse(t);
  const port = await startTlsFront(t, place.http, server);
  refuses(
    await init(secure(place.http), ...CA),
    /does not speak TLS: leave \?secure=true out, or name the port of ClickHouse's HTTPS interface/,
  );
  refuses(await init(`clickhouse://127.0.0.1:${port}/vcml`), /add \?secure=true to the address\n/);
});

test('a server that asks for certificates gets those of a user', options, async (t) => {
  const port = await startSecure(t, { ...server, clients: known.certificate });
  refuses(
    await init(secure(port), ...CA),
    /asks for the certificate of a client \([a-z ]+\): name it with --store-cert, and its key with --store-key\n/,
  );
  refuses(
    await init(secure(port), ...CA, ...certified(other.issue('client'))),
    /closes the connection without an answer: it may not accept the certificate in --store-cert\n/,
  );
  const client = certified(known.issue('client'));
  const env = { VCML_STORE_PASSWORD: PASSWORD };
  const both = await vcmlWith(env, 'store', 'init', secure(port, 'maker'), ...CA, ...client);
  equal(both.code, 0, both.stderr);
  // Without a password, the server is asked to take the certificate in its place.
  refuses(await init(secure(port, 'maker'), ...CA, ...client), /refuses the user maker/);
});

test('a server that refuses a certificate in the handshake is understood', async (t) => {
  const port = await freePort();
  const files = ['-cert', server.certificate, '-key', server.key, '-CAfile', known.certificate];
  const verify = ['-Verify', '1', '-verify_return_error', '-quiet', '-accept', `127.0.0.1:${port}`];
  const child = spawn('openssl', ['s_server', ...files, ...verify], { stdio: 'ignore' });
  t.after(() => child.kill());
  await until('openssl listens', () => isListening(port));
  refuses(
    await init(secure(port), ...CA, ...certified(other.issue('stranger'))),
    /does not accept the certificate in --store-cert \([a-z ]+\): use one from an authority that the server knows\n/,
  );
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('files that do not fit are named before anybody is asked', async () => {
  const file = join(folder, 'nothing.pem');
  writeFileSync(file, 'nothing\n');
  const client = known.issue('unused');
  const { key } = known.issue('another');
  const at = secure(1);
  for (const [args, sentence] of [
    [['--store-ca', file], /--store-ca: has no certificate in PEM\n/],
    [['--store-ca', join(folder, 'absent')], /--store-ca: ENOENT/],
    [[...CA, '--store-cert', client.certificate], /--store-cert and --store-key belong together\n/],
    [certified(client), /--store-cert needs --store-ca, the authority of the server\n/],
    [
      [...CA, ...certified({ ...client, key })],
      /--store-key is not the key of the certificate in --store-cert\n/,
    ],
    [[...CA, ...certified({ ...client, key: file })], /--store-key: has no key in PEM/],
  ] as const)
    refuses(await init(at, ...args), sentence, 64);
  refuses(
    await init('clickhouse://127.0.0.1:1/vcml', ...CA),
    /--store-ca is for TLS: add \?secure=true to the address of http:\/\/127\.0\.0\.1:1\n/,
    64,
  );
});
