import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Folder, vcml } from '../../support/forensics.ts';
import { execLines } from '../../support/journal/lines.ts';
import { type Sent, startServer } from '../../support/serve/server.ts';
import type { CleanUp } from '../../support/temporary-folder.ts';

const SUMMARY = '/api/summary';

test('only who has the token of the printed address may ask', async (t) => {
  const server = await started(t);
  match(server.address.href, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/);
  equal((await server.send(SUMMARY)).status, 200);
  const token = server.authorization.slice('Bearer '.length);
  const wrong: readonly Sent[] = [
    {},
    { headers: { authorization: '' } },
    { headers: { authorization: 'Bearer' } },
    { headers: { authorization: token } },
    { headers: { authorization: `Basic ${token}` } },
    { headers: { authorization: `Bearer ${'A'.repeat(43)}` } },
    { headers: { authorization: `Bearer ${token}A` } },
    { headers: { cookie: `token=${token}; vcml-${server.address.port}=${token}` } },
  ];
  for (const sent of wrong) {
    const { status, body } = await server.sendPlainly(SUMMARY, sent);
    equal(status, 401);
    match(JSON.parse(body).error, /open the address that `vcml serve` printed/);
  }
  equal((await server.sendPlainly(`${SUMMARY}?token=${token}`)).status, 401);
});

test('no answer sets a cookie, which a browser would send to every port of the machine', async (t) => {
  const server = await started(t);
  for (const path of ['/', `/${server.address.hash.replace('#', '?')}`, SUMMARY, '/api/ticket'])
    for (const sent of [server.send, server.sendPlainly])
      equal((await sent(path)).headers['set-cookie'], undefined, path);
});

test('a ticket is good for one download, and for nothing else', async (t) => {
  const server = await started(t);
  equal((await server.sendPlainly('/api/ticket')).status, 401);
  const next = async (): Promise<string> => (await server.json('/api/ticket')).ticket;
  const ticket = await next();
  match(ticket, /^[\w-]{43}$/);
  for (const path of [SUMMARY, '/api/records', '/api/ticket'])
    equal((await server.sendPlainly(`${path}?ticket=${ticket}`)).status, 401, path);
  const path = `/api/export?form=csv&ticket=${ticket}`;
  const foreign = { headers: { 'sec-fetch-site': 'same-site' } };
  equal((await server.sendPlainly(path, foreign)).status, 403);
  const download = await server.sendPlainly(path);
  deepEqual([download.status, download.body.split('\n').length], [200, 23]);
  const again = await server.sendPlainly(path);
  equal(again.status, 401);
  match(again.body, /begin it in the page/);
  for (const wrong of ['', 'A'.repeat(43), server.authorization.slice('Bearer '.length)])
    equal((await server.sendPlainly(`/api/export?ticket=${wrong}`)).status, 401);
  const [one, other] = [await next(), await next()];
  for (const each of [other, one])
    equal((await server.sendPlainly(`/api/export?ticket=${each}`)).status, 200);
});

test('a name that an attacker lets lead here gets no answer', async (t) => {
  const server = await started(t);
  const { port } = server.address;
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    '[::2]',
  ];
  for (const host of foreign)
    for (const path of ['/', SUMMARY, '/api/ticket'])
      equal((await server.send(path, { headers: { host } })).status, 421, `${host}${path}`);
  for (const host of [`localhost:${port}`, '127.0.0.1:8000', `[::1]:${port}`])
    equal((await server.send(SUMMARY, { headers: { host } })).status, 200, host);
});

test('pages of other sites can neither ask nor embed', async (t) => {
  const server = await started(t);
  const foreign = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${Number(server.address.port) + 1}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of foreign) equal((await server.send(SUMMARY, { headers })).status, 403);
  const own = { origin: server.address.origin, 'sec-fetch-site': 'same-origin' };
  equal((await server.send(SUMMARY, { headers: own })).status, 200);
  for (const path of ['/', '/page.js', '/page.css', SUMMARY, '/no/such/page', '/api/export']) {
    const { headers } = await server.send(path);
    match(`${headers['content-security-policy']}`, /^default-src 'none'; script-src 'self'; /);
    match(
      `${headers['content-security-policy']}`,
      /frame-ancestors 'none'; require-trusted-types-for 'script'/,
    );
    equal(headers['x-content-type-options'], 'nosniff');
    equal(headers['referrer-policy'], 'no-referrer');
    equal(headers['cache-control'], 'no-store');
    equal(headers['cross-origin-resource-policy'], 'same-origin');
    equal(headers['access-control-allow-origin'], undefined);
  }
});

test('the server only reads: other methods are refused, and HEAD has no body', async (t) => {
  const server = await started(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const { status, headers } = await server.send(SUMMARY, { method });
    equal(status, 405);
    equal(headers.allow, 'GET, HEAD');
  }
  const { status, body } = await server.send(SUMMARY, { method: 'HEAD' });
  deepEqual([status, body], [200, '']);
});

test('a path leads to no file but those of the page', async (t) => {
  const server = await started(t);
  const paths = [
    '/../package.json',
    '/%2e%2e/package.json',
    '/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/page.js/../../page.html',
    '/page.html',
    '/build/serve/page.js',
    '/\\..\\package.json',
  ];
  for (const path of paths) equal((await server.send(path)).status, 404, path);
  for (const path of [
    '/api/',
    '/api/record',
    '/api/record/a/b',
    '/api/summary/x',
    '/api/constructor',
  ])
    equal((await server.send(path)).status, 404, path);
  equal((await server.send('/api/record/%')).status, 400);
  const asterisk = await server.send('*');
  equal(asterisk.status >= 400, true);
});

test('questions that are too long, too many or not known are refused with a remedy', async (t) => {
  const server = await started(t);
  const refusals: readonly (readonly [string, number, RegExp])[] = [
    [`/api/records?exe=${'a'.repeat(9000)}`, 414, /longer than 8192 characters/],
    ['/api/records?limit=1000000', 400, /limit must be a whole number from 1 to 1000/],
    ['/api/records?limit=-1', 400, /limit must be/],
    ['/api/histogram?bars=100000', 400, /bars must be/],
    ['/api/records?nodee=x', 400, /nodee.*is no parameter/],
    ['/api/records?node=a&node=b', 400, /give it once/],
    ['/api/records?since=soon', 400, /is not a time/],
    ['/api/records?exe=/(/', 400, /Unterminated group|Invalid regular expression/],
    ['/api/records?exe=/(%3F%3Da)/', 400, /the selection cannot be evaluated/],
    ['/api/records?after=1.x', 400, /after and before must be/],
    ['/api/records?after=99999999999999999999.1', 400, /after|before/],
    ['/api/records?user=me', 400, /must be a number, or root/],
    ['/api/values/uid', 404, /can be asked for/],
    ['/api/record/ffffffff', 404, /no record has the id/],
    ['/api/export?form=exe', 400, /jsonl or csv/],
    ["/api/values/exe?prefix=')%20OR%201=1--", 200, /"values":\[\]/],
    ["/api/records?exe=')%20OR%20('1'='1", 200, /"matched":0/],
  ];
  for (const [path, status, message] of refusals) {
    const reply = await server.send(path);
    equal(reply.status, status, path);
    match(reply.body, message, path);
  }
  const { status } = await server.send(SUMMARY, { headers: { 'x-long': 'a'.repeat(40_000) } });
  equal(status, 431);
});

test('what is no HTTP ends the connection and nothing else', async (t) => {
  const server = await started(t);
  const socket = connect(Number(server.address.port), server.address.hostname);
  await once(socket, 'connect');
  socket.write('\x16\x03\x01 hello\r\n\r\n');
  match(await text(socket), /^HTTP\/1.1 400/);
  equal((await server.send(SUMMARY)).status, 200);
});

test('signals end the server with exit code 0, also with open connections', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const server = await started(t);
    const socket = connect(Number(server.address.port), server.address.hostname);
    await once(socket, 'connect');
    socket.on('error', () => {});
    const asking = server.send('/api/export').catch(() => undefined);
    deepEqual(await server.stop(signal), { code: 0, stderr: '' });
    await asking;
  }
});

test('each start has its own token, and that of another one is refused', async (t) => {
  const [one, other] = [await started(t), await started(t)];
  notEqual(one.address.hash, other.address.hash);
  const { authorization } = one;
  equal((await other.sendPlainly(SUMMARY, { headers: { authorization } })).status, 401);
});

test('an address that others can reach needs an option, and is warned about', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const journal = folder.journal('one.jsonl', execLines(0, 2));
  for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:0']) {
    const { code, stderr } = await vcml('serve', journal, '--listen', listen);
    equal(code, 64);
    match(stderr, /can be reached from other machines: forward a port instead .* --allow-remote/);
  }
  for (const listen of ['7474', 'localhost', '127.0.0.1:', '127.0.0.1:99999', 'a b:1'])
    equal((await vcml('serve', journal, '--listen', listen)).code, 64);
  const server = await startServer(t, journal, '--listen', '0.0.0.0:0', '--allow-remote');
  const { port } = server.address;
  equal((await server.send(SUMMARY, { headers: { host: `192.0.2.1:${port}` } })).status, 200);
  equal((await server.send(SUMMARY, { headers: { host: `evil.example:${port}` } })).status, 421);
  match((await server.stop()).stderr, /without encryption.*prefer ssh -L/);
});

test('a port that is taken is named', async (t) => {
  const server = await started(t);
  const folder = new Folder();
  t.after(() => folder.close());
  const journal = folder.journal('one.jsonl', execLines(0, 2));
  const { code, stderr } = await vcml('serve', journal, '--listen', server.address.host);
  equal(code, 64);
  match(stderr, /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*name another port with --listen/);
});

async function started(t: CleanUp) {
  const folder = new Folder();
  t.after(() => folder.close());
  return startServer(t, folder.journal('one.jsonl', execLines(0, 20)));
}
