import { deepEqual, equal, match, throws } from 'node:assert/strict';
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerCredentials, status } from '@grpc/grpc-js';
import {
  CredentialFiles,
  type CredentialSources,
} from '../../agent/export/connect/credential-files.ts';
import { createAuthority } from '../support/authority.ts';
import { execLine, execLines, sameLines } from '../support/journal/lines.ts';
import { createExportBed, NO_FILES } from '../support/otlp/export-bed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const dir = temporaryFolder();
const ours = createAuthority(dir, 'ours');
const theirs = createAuthority(dir, 'theirs');
const server = ours.issue('server');
const client = ours.issue('client');
const other = ours.issue('other');

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

function credentialsOf(authority: { certificate: string }, own = server, mutual = false) {
  const pair = { private_key: readFileSync(own.key), cert_chain: readFileSync(own.certificate) };
  return ServerCredentials.createSsl(readFileSync(authority.certificate), [pair], mutual);
}

const BAD: readonly (readonly [string, Partial<CredentialSources>, RegExp])[] = [
  [
    'an authority that is not there',
    { certificate: '/nowhere/ca.crt' },
    /\/nowhere\/ca.crt: ENOENT/,
  ],
  ['an authority that is a folder', { certificate: dir }, /EISDIR/],
  ['an authority without a certificate', { certificate: client.key }, /no PEM certificate/],
  [
    'an authority that is damaged',
    {
      certificate: file(
        'bad.crt',
        '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      ),
    },
    /bad\.crt: /,
  ],
  ['a certificate without its key', { clientCertificate: client.certificate }, /give both/],
  ['a key without its certificate', { clientKey: client.key }, /give both/],
  [
    'the key of another',
    { clientCertificate: client.certificate, clientKey: other.key },
    /ours-other\.key is not the key of .*ours-client\.crt/,
  ],
  ['an empty token', { token: file('empty', '\n') }, /must hold a token/],
  ['a token of two lines', { token: file('two', 'a\nb\n') }, /must hold a token/],
  ['a header without a value', { headers: file('headers', 'a b c\n') }, /a header without ":"/],
];

for (const [what, files, why] of BAD)
  test(`at the start, ${what} is an error`, async () => {
    throws(
      () => new CredentialFiles({ ...NO_FILES, ...files }, () => {}),
      (error: Error & { code: string }) => {
        match(error.message, why);
        return error.code === 'EXPORT_CREDENTIALS_INVALID';
      },
    );
  });

test('all problems are reported at once', async () => {
  const files = { ...NO_FILES, certificate: '/nowhere/ca.crt', token: '/nowhere/token' };
  throws(() => new CredentialFiles(files, () => {}), /ca\.crt: ENOENT.*token: ENOENT/);
});

test('a token overrides the file of headers, and that overrides fixed headers', async () => {
  const headers = file('more', 'Authorization: Basic x\nx-tenant:  shop \n\nx-b: file\n');
  const fixedHeaders = { 'x-b': 'fixed', 'x-c': 'fixed' };
  const files = { ...NO_FILES, token: file('token', 'secret\n'), headers, fixedHeaders };
  deepEqual(new CredentialFiles(files, () => {}).current.headers, {
    'x-b': 'file',
    'x-c': 'fixed',
    authorization: 'Bearer secret',
    'x-tenant': 'shop',
  });
});

test('unchanged files give the same credentials', async () => {
  const files = { ...NO_FILES, token: file('same', 'secret') };
  const source = new CredentialFiles(files, () => {});
  const { current } = source;
  await sleep(1100);
  writeFileSync(files.token, 'secret');
  equal(source.current, current);
});

test('TLS: only a collector with a certificate of the configured authority is accepted', async (t) => {
  const bed = await createExportBed(t);
  const stranger = await bed.collect({
    credentials: credentialsOf(theirs, theirs.issue('server')),
  });
  bed.start(`https://localhost:${stranger.port}`, {
    files: { ...NO_FILES, certificate: ours.certificate },
  });
  await bed.write(execLine(0));
  await until('the log line', () => bed.log.length > 0);
  match(bed.log[0] ?? '', /^warn .*UNAVAILABLE.*certificate/);
  await bed.stop();
  equal(stranger.calls.length, 0);
  const collector = await bed.collect({ credentials: credentialsOf(ours) });
  bed.start(`localhost:${collector.port}`, {
    files: { ...NO_FILES, certificate: ours.certificate },
  });
  await until('the line', () => collector.lines.length === 1);
});

test('TLS: a certificate must name the address of the endpoint', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({ credentials: credentialsOf(ours), address: '127.0.0.2:0' });
  const files = { ...NO_FILES, certificate: ours.certificate };
  bed.start(`https://127.0.0.2:${collector.port}`, { files });
  await bed.write(execLine(0));
  await until('the log line', () => bed.log.length > 0);
  match(bed.log[0] ?? '', /^warn .*UNAVAILABLE.*127\.0\.0\.2 is not in the cert's list/);
});

test('mTLS: the client certificate is sent, and a collector that requires one refuses calls without it', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({ credentials: credentialsOf(ours, server, true) });
  const endpoint = `https://127.0.0.1:${collector.port}`;
  bed.start(endpoint, { files: { ...NO_FILES, certificate: ours.certificate } });
  await bed.write(execLine(0));
  await until('the log line', () => bed.log.length > 0);
  await bed.stop();
  equal(collector.calls.length, 0);
  bed.start(endpoint, {
    files: {
      ...NO_FILES,
      certificate: ours.certificate,
      clientCertificate: client.certificate,
      clientKey: client.key,
    },
  });
  await until('the line', () => collector.lines.length === 1);
});

/** A volume as the kubelet makes it: names are links into `..data`, itself a link that is replaced. */
function createVolume(name: string): { dir: string; replace(files: Record<string, string>): void } {
  const volume = join(dir, name);
  mkdirSync(volume);
  let generation = 0;
  return {
    dir: volume,
    replace(files) {
      const data = `..${++generation}`;
      mkdirSync(join(volume, data));
      for (const [key, text] of Object.entries(files)) {
        writeFileSync(join(volume, data, key), text);
        if (generation === 1) symlinkSync(`..data/${key}`, join(volume, key));
      }
      symlinkSync(data, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
      if (generation > 1)
        rmSync(join(volume, `..${generation - 1}`), { recursive: true, force: true });
    },
  };
}

test('authority, certificate and key are read again when their volume is replaced', async (t) => {
  const bed = await createExportBed(t);
  const read = (path: string) => readFileSync(path, 'utf8');
  const volume = createVolume('tls');
  const show = (ca: string, pair: { certificate: string; key: string }) =>
    volume.replace({ ca: read(ca), crt: read(pair.certificate), key: read(pair.key) });
  show(ours.certificate, client);
  const first = await bed.collect({ credentials: credentialsOf(ours, server, true) });
  bed.start(`https://localhost:${first.port}`, {
    files: {
      ...NO_FILES,
      certificate: join(volume.dir, 'ca'),
      clientCertificate: join(volume.dir, 'crt'),
      clientKey: join(volume.dir, 'key'),
    },
  });
  await bed.write(execLine(0));
  await until('a line', () => first.lines.length === 1);
  first.kill();
  const credentials = credentialsOf(theirs, theirs.issue('server2'), true);
  const second = await bed.collect({ credentials, address: `127.0.0.1:${first.port}` });
  await bed.write(execLine(1));
  await until('the log line', () => bed.log.some((line) => line.startsWith('warn')));
  show(theirs.certificate, theirs.issue('client'));
  await until('the other line', () => second.lines.length >= 1);
  sameLines([...first.lines, ...second.lines], execLines(0, 2));
});

test('a new token is used; an invalid one is logged, and the old one stays in use', async (t) => {
  const bed = await createExportBed(t);
  let valid = 'Bearer one';
  const collector = await bed.collect();
  const volume = createVolume('token-volume');
  volume.replace({ token: 'one\n' });
  bed.start(collector.port, { files: { ...NO_FILES, token: join(volume.dir, 'token') } });
  const shown = () => collector.calls.at(-1)?.metadata.authorization;
  for (const token of ['one', 'two', 'three']) {
    valid = `Bearer ${token}`;
    volume.replace({ token });
    await until(`the token ${token}`, async () => {
      if (shown() !== valid) await bed.write(execLine(1));
      return shown() === valid;
    });
  }
  volume.replace({ token: 'not a token' });
  await until('the alarm', async () => {
    await bed.write(execLine(2));
    return bed.log.some((line) =>
      /^error export\.credentials_invalid .*must hold a token/.test(line),
    );
  });
  unlinkSync(join(volume.dir, 'token'));
  await bed.write(execLine(3));
  await until('the line', () => collector.lines.includes(execLine(3)));
  equal(shown(), 'Bearer three');
});

test('a collector that denies an expired token gets everything once the token is renewed', async (t) => {
  const bed = await createExportBed(t);
  const token = file('rotating', 'old');
  const collector = await bed.collect({
    answer: (_, call) =>
      call < 2 ? { kind: 'fail', code: status.UNAUTHENTICATED } : { kind: 'accept' },
  });
  bed.start(collector.port, { files: { ...NO_FILES, token } });
  await bed.write(...execLines(0, 3));
  await until('a denial', () => collector.calls.length > 0);
  writeFileSync(token, 'new');
  await until('all lines', () => collector.lines.length >= 3);
  sameLines(collector.lines, execLines(0, 3));
});
