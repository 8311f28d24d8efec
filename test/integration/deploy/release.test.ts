import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ROOT } from '../../support/paths.ts';
import { startFront } from '../../support/registry/front.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ARCHITECTURES = ['amd64', 'arm64'];
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const folder = temporaryFolder();
const release = join(folder, 'release');
const [key, pub] = writeKeys('key');
let registry: string;
const ends: (() => unknown)[] = [];
after(() => {
  for (const end of ends) end();
});

before(async () => {
  writeParts(join(folder, 'parts'));
  build(join(folder, 'parts'), release);
  registry = `${await startRegistry({ after: (end) => ends.push(end) })}/group`;
  const pushed = await run('push.ts', release, registry, key);
  assert.equal(pushed.code, 0, pushed.stderr);
});

test('a release has the same bytes from parts that are equal, whatever their times and modes', () => {
  const parts = join(folder, 'other-parts');
  cpSync(join(folder, 'parts'), parts, { recursive: true });
  for (const file of filesIn(parts)) {
    utimesSync(file, 1, 1);
    chmodSync(file, file.endsWith('bin/vcml-agent') ? 0o700 : 0o600);
  }
  const again = join(folder, 'again');
  const umask = process.umask(0o077);
  try {
    build(parts, again);
  } finally {
    process.umask(umask);
  }
  const signatures = ['SHA256SUMS.sig', 'cosign.pub'];
  const names = filesIn(release).map((file) => file.slice(release.length + 1));
  const made = names.filter((name) => !signatures.includes(name));
  assert.deepEqual(
    filesIn(again).map((file) => file.slice(again.length + 1)),
    made,
  );
  for (const name of made)
    assert.equal(digestOf(join(again, name)), digestOf(join(release, name)), name);
});

test('one index has the images of both architectures, each with its base and the agent', () => {
  const images = namedImages();
  assert.equal(images.annotations['org.opencontainers.image.ref.name'], `vcml-agent:${version}`);
  const { manifests } = blob(images.digest);
  assert.deepEqual(
    manifests.map(({ platform }: { platform: object }) => platform),
    ARCHITECTURES.map((architecture) => ({ architecture, os: 'linux' })),
  );
  for (const [at, { digest }] of manifests.entries()) {
    const { config, layers } = blob(digest);
    const { architecture, rootfs } = blob(config.digest);
    assert.equal(architecture, ARCHITECTURES[at]);
    const listed = layers.map((layer: { digest: string }) => {
      const file = blobFile(layer.digest);
      const tar = execFileSync('gzip', ['-dc', file]);
      const diff = createHash('sha256').update(tar).digest('hex');
      assert.ok(rootfs.diff_ids.includes(`sha256:${diff}`));
      return execFileSync('tar', ['-tvf', '-'], { input: tar, encoding: 'utf8' });
    });
    assert.match(listed[0], /^-rw-r--r-- 0\/0 .* \.\/etc\/os-release$/m);
    assert.match(listed[1], /^-rwxr-xr-x 0\/0 .* \.\/opt\/vcml-agent\/bin\/vcml-agent$/m);
  }
});

test('the chart is the repository’s, in the form in which Helm pushes it', () => {
  const listed = execFileSync('tar', ['-tf', join(release, `vcml-agent-${version}.tgz`)], {
    encoding: 'utf8',
  });
  for (const name of ['Chart.yaml', 'values.yaml', 'templates/daemonset.yaml'])
    assert.ok(listed.split('\n').includes(`vcml-agent/${name}`), name);
  const [, chart] = JSON.parse(readFileSync(join(release, 'oci/index.json'), 'utf8')).manifests;
  const { config, layers } = blob(chart.digest);
  assert.equal(config.mediaType, 'application/vnd.cncf.helm.config.v1+json');
  assert.equal(blob(config.digest).version, version);
  const digest = digestOf(join(release, `vcml-agent-${version}.tgz`));
  assert.equal(layers[0].digest, `sha256:${digest}`);
});

test('the provenance names the commit, the packages of the bases, and all that was made', () => {
  const made = JSON.parse(readFileSync(join(release, 'provenance.json'), 'utf8'));
  assert.equal(made._type, 'https://in-toto.io/Statement/v1');
  assert.equal(made.predicateType, 'https://slsa.dev/provenance/v1');
  const { resolvedDependencies } = made.predicate.buildDefinition;
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  assert.deepEqual(resolvedDependencies[0], {
    name: 'source',
    digest: { gitCommit: commit.trim() },
  });
  for (const arch of ARCHITECTURES)
    assert.ok(
      resolvedDependencies.some(
        ({ uri, digest }: { uri?: string; digest?: { sha256: string } }) =>
          uri === `pkg:deb/debian/libelf1@0.188?arch=${arch}` && digest?.sha256 === 'abcd',
      ),
    );
  const subjects = new Map(
    made.subject.map(({ name, digest }: { name: string; digest: { sha256: string } }) => [
      name,
      digest.sha256,
    ]),
  );
  for (const name of [`vcml-${version}.tgz`, 'vcml.yaml', `vcml-agent-${version}.tgz`])
    assert.equal(subjects.get(name), digestOf(join(release, name)));
  const { manifests } = JSON.parse(readFileSync(join(release, 'oci/index.json'), 'utf8'));
  for (const { digest } of manifests)
    assert.ok([...subjects.values()].includes(digest.replace('sha256:', '')));
});

test('sha256sum accepts the checksums, and openssl the signature of cosign.pub', () => {
  execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: release });
  const sig = join(folder, 'sig');
  const text = readFileSync(join(release, 'SHA256SUMS.sig'), 'utf8');
  writeFileSync(sig, Buffer.from(text, 'base64'));
  const args = ['dgst', '-sha256', '-verify', 'cosign.pub', '-signature', sig, 'SHA256SUMS'];
  execFileSync('openssl', args, { cwd: release });
});

test('what was pushed is verified, with the folder and without', async () => {
  for (const more of [[], [release]]) {
    const { code, stdout, stderr } = await run('verify.ts', registry, version, pub, ...more);
    assert.equal(code, 0, stderr);
    for (const name of ['vcml-agent', 'charts/vcml-agent', 'vcml'])
      assert.match(stdout, new RegExp(`^verified ${registry}/${name}:${version}@sha256:`, 'm'));
  }
});

test('signatures and statements are referrers of each manifest, and have cosign’s tags', async () => {
  const images = namedImages();
  for (const { digest } of [images, ...blob(images.digest).manifests]) {
    const [host, group] = registry.split('/');
    const base = `http://${host}/v2/${group}/vcml-agent`;
    const { manifests } = await (await fetch(`${base}/referrers/${digest}`)).json();
    assert.deepEqual(
      manifests.map(({ artifactType }: { artifactType: string }) => artifactType).toSorted(),
      [
        'application/vnd.dev.cosign.artifact.att.v1+json',
        'application/vnd.dev.cosign.artifact.sig.v1+json',
      ],
    );
    for (const kind of ['sig', 'att']) {
      const tag = `${digest.replace(':', '-')}.${kind}`;
      const { subject } = await (await fetch(`${base}/manifests/${tag}`)).json();
      assert.equal(subject.digest, digest);
    }
  }
});

test('the signature of another key is refused', async () => {
  const [, other] = writeKeys('other');
  await assertRefused([registry, version, other], /vcml-agent@sha256:\w+ has no signature of this/);
});

test('a tag that somebody moved to an unsigned manifest is refused', async (t) => {
  const moved = await pushElsewhere(t);
  const url = `${moved.url}/vcml-agent/manifests/${version}`;
  const manifest = await (await fetch(url)).json();
  const body = JSON.stringify({ ...manifest, annotations: { changed: 'yes' } });
  const headers = { 'content-type': manifest.mediaType };
  assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 201);
  await assertRefused([moved.registry, version, pub], /has no signature of this key/);
});

test('an old release under the tag of a new one is refused, although it is signed', async (t) => {
  const { registry: elsewhere, url } = await pushElsewhere(t);
  const answer = await fetch(`${url}/vcml-agent/manifests/${version}`);
  const headers = { 'content-type': answer.headers.get('content-type') ?? '' };
  const body = await answer.text();
  await fetch(`${url}/vcml-agent/manifests/9.9.9`, { method: 'PUT', headers, body });
  const expected = new RegExp(`is of version ${version}, and not 9\\.9\\.9`);
  await assertRefused([elsewhere, '9.9.9', pub], expected);
});

test('one part of a release in the place of another is refused, although it is signed', async (t) => {
  const { registry: elsewhere, url } = await pushElsewhere(t);
  const copies = [`manifests/${version}`];
  const { manifests } = await (
    await fetch(`${url}/vcml/referrers/${namedManifests()[2].digest}`)
  ).json();
  for (const { digest } of manifests) copies.push(`manifests/${digest}`);
  for (const copy of copies) {
    const answer = await fetch(`${url}/vcml/${copy}`);
    const headers = { 'content-type': answer.headers.get('content-type') ?? '' };
    const body = await answer.text();
    const { config, layers } = JSON.parse(body);
    for (const { digest } of [config, ...layers]) {
      const bytes = await (await fetch(`${url}/vcml/blobs/${digest}`)).arrayBuffer();
      const upload = `${url}/charts/vcml-agent/blobs/uploads/`;
      const begun = await fetch(upload, { method: 'POST' });
      const to = new URL(begun.headers.get('location') ?? '', upload);
      to.searchParams.set('digest', digest);
      await fetch(to, { method: 'PUT', body: bytes });
    }
    const put = { method: 'PUT', headers, body };
    assert.equal((await fetch(`${url}/charts/vcml-agent/${copy}`, put)).status, 201);
  }
  await assertRefused([elsewhere, version, pub], /charts\/vcml-agent@\S+ has no signed statement/);
});

test('a release whose statements only somebody else signed is refused', async (t) => {
  const { registry: elsewhere, url } = await pushElsewhere(t);
  const { digest } = namedImages();
  const { manifests } = await (await fetch(`${url}/vcml-agent/referrers/${digest}`)).json();
  for (const { artifactType, digest: referrer } of manifests)
    if (artifactType.includes('.att.'))
      await fetch(`${url}/vcml-agent/manifests/${referrer}`, { method: 'DELETE' });
  const [other] = writeKeys('somebody');
  assert.equal((await run('push.ts', release, elsewhere, other)).code, 0);
  await assertRefused([elsewhere, version, pub], /has no signed statement https:\/\/slsa\.dev/);
  await run('push.ts', release, elsewhere, key);
  assert.equal((await run('verify.ts', elsewhere, version, pub)).code, 0);
});

test('content that is not what its manifest names is refused', async (t) => {
  const { host, registry: elsewhere } = await pushElsewhere(t);
  const layer = blob(blob(namedImages().digest).manifests[1].digest).layers[1].digest;
  const front = await startFront(t, host, {
    change: (path, content) => (path.endsWith(layer) ? Buffer.alloc(content.length) : content),
  });
  await assertRefused(
    [elsewhere.replace(host, front), version, pub],
    new RegExp(`has sha256:\\w+ as ${layer}`),
  );
});

test('a folder whose files or checksums were changed is refused', async (t) => {
  const changed = join(temporaryFolder(t), 'release');
  cpSync(release, changed, { recursive: true });
  appendFileSync(join(changed, `vcml-${version}.tgz`), 'x');
  await assertRefused([registry, version, pub, changed], /tgz is not what SHA256SUMS says/);
  appendFileSync(join(changed, 'SHA256SUMS'), '\n');
  await assertRefused([registry, version, pub, changed], /SHA256SUMS has no signature of this key/);
});

test('a version that is not there is named', async () => {
  await assertRefused([registry, '9.9.9', pub], /vcml-agent has no 9\.9\.9/);
});

test('a registry that asks for a token gets the credentials of docker login', async (t) => {
  const host = await startRegistry(t);
  const front = await startFront(t, host, { credentials: 'user:secret' });
  const docker = temporaryFolder(t);
  const auth = Buffer.from('user:secret').toString('base64');
  writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [front]: { auth } } }));
  const logged = { DOCKER_CONFIG: docker };
  const pushed = await runWith(logged, 'push.ts', release, `${front}/group`, key);
  assert.equal(pushed.code, 0, pushed.stderr);
  const verified = await runWith(logged, 'verify.ts', `${front}/group`, version, pub, release);
  assert.equal(verified.code, 0, verified.stderr);
  const without = { DOCKER_CONFIG: folder };
  const refused = await runWith(without, 'push.ts', release, `${front}/group`, key);
  assert.match(refused.stderr, /refuses the login: 401/);
});

/** Writes what prepare-image and pack-reader.ts make, in small. */
function writeParts(parts: string): void {
  for (const arch of ARCHITECTURES) {
    const agent = join('images', arch, 'agent/opt/vcml-agent');
    write(join(parts, 'images', arch, 'base/etc/os-release'), 'ID=debian\n');
    write(join(parts, agent, 'bin/vcml-agent'), `#!/bin/sh\n# ${arch}\n`);
    chmodSync(join(parts, agent, 'bin/vcml-agent'), 0o755);
    write(join(parts, agent, 'sbom.spdx.json'), `{"spdxVersion":"SPDX-2.3","name":"${arch}"}\n`);
    write(join(parts, 'images', arch, 'packages'), 'libelf1 0.188 abcd\n');
  }
  write(join(parts, 'reader', `vcml-${version}.tgz`), 'package\n');
  write(join(parts, 'reader/vcml.yaml'), 'kind: Plugin\n');
  write(join(parts, 'reader/sbom.spdx.json'), '{"spdxVersion":"SPDX-2.3","name":"vcml"}\n');
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function build(parts: string, to: string): void {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1790000000' };
  const args = [to, join(parts, 'images'), join(parts, 'reader'), ...ARCHITECTURES];
  execFileSync(process.execPath, ['deploy/release/build.ts', ...args], { cwd: ROOT, env });
}

/** Writes a pair of keys, and returns their files. */
function writeKeys(name: string): [privateFile: string, publicFile: string] {
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const files = [join(folder, `${name}.pem`), join(folder, `${name}.pub`)] as const;
  writeFileSync(files[0], keys.privateKey);
  writeFileSync(files[1], keys.publicKey);
  return [...files];
}

/** Pushes the release to a registry of this test's own. */
async function pushElsewhere(
  t: TestContext,
): Promise<{ host: string; registry: string; url: string }> {
  const host = await startRegistry(t);
  const pushed = await run('push.ts', release, `${host}/group`, key);
  assert.equal(pushed.code, 0, pushed.stderr);
  return { host, registry: `${host}/group`, url: `http://${host}/v2/group` };
}

async function assertRefused(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stderr } = await run('verify.ts', ...args);
  assert.equal(code, 1);
  assert.match(stderr, message);
}

function run(script: string, ...args: readonly string[]): ReturnType<typeof runWith> {
  return runWith({}, script, ...args);
}

function runWith(
  env: Readonly<Record<string, string>>,
  script: string,
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    const command = [join('deploy/release', script), ...args];
    const child = execFile(process.execPath, command, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function filesIn(of: string): string[] {
  return readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function blobFile(digest: string): string {
  return join(release, 'oci/blobs', digest.replace(':', '/'));
}

/** The index of the images, as the layout names it. */
function namedImages() {
  return namedManifests()[0];
}

function namedManifests() {
  return JSON.parse(readFileSync(join(release, 'oci/index.json'), 'utf8')).manifests;
}

function blob(digest: string) {
  return JSON.parse(readFileSync(blobFile(digest), 'utf8'));
}
