import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ROOT } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const REQUIRED = ['SPDXID', 'name', 'downloadLocation'];

interface Package {
  readonly [field: string]: unknown;
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly licenseDeclared: string;
  readonly externalRefs: readonly { readonly referenceLocator: string }[];
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: string;
  readonly relatedSpdxElement: string;
}

interface Document {
  readonly [field: string]: unknown;
  readonly packages: readonly Package[];
  readonly relationships: readonly Relationship[];
}

const bundle = join(temporaryFolder(), 'bundle');
let sbom: Document;

before(() => {
  node('deploy/bundle.ts', bundle);
  sbom = read();
});

test('a bundle has a bill of materials with what SPDX 2.3 requires', () => {
  assertSpdx(sbom);
});

test('each npm package in the bill has code in the bundle, its version and its licence', () => {
  const code = globSync(`${bundle}/{agent,node_modules/pino}/*.js`)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  for (const { name, versionInfo, licenseDeclared } of npmPackages()) {
    const { version, license } = lock[`node_modules/${name}`];
    assert.deepEqual([name, versionInfo, licenseDeclared], [name, version, license]);
    assert.ok(existsSync(join(bundle, 'LICENSES/third-party', name)), `${name}'s licence`);
  }
  // of the smallest minifying leaves no word
  for (const [name, words] of ownWords(npmPackages().map(({ name }) => name)))
    if (words.length > 25)
      assert.ok(
        words.some((word) => code.includes(word)),
        `nothing of ${name} is there`,
      );
});

test('the bill has exactly what is in the bundle', () => {
  const names = new Set(npmPackages().map(({ name }) => name));
  for (const name of [
    '@grpc/grpc-js',
    '@kubernetes/client-node',
    'commander',
    'pino',
    'zod',
    `node-linux-${process.arch}`,
  ])
    assert.ok(names.has(name), name);
  for (const name of ['@duckdb/node-api', 'esbuild', 'playwright-core', 'typescript', 'undici'])
    assert.ok(!names.has(name), name);
});

test('Node is found by its CPE, and libbpf, which is linked in, by its Debian package', () => {
  const locators = sbom.packages.flatMap(({ externalRefs }) =>
    externalRefs.map(({ referenceLocator }) => referenceLocator),
  );
  const { version } = process;
  assert.ok(locators.includes(`cpe:2.3:a:nodejs:node.js:${version.slice(1)}:*:*:*:*:*:*:*`));
  const libbpf = sbom.packages.find(({ name }) => name === 'libbpf-dev');
  const lines = execFileSync('dpkg-query', ['--show', 'libbpf-dev'], { encoding: 'utf8' });
  const installed = lines.trim().split('\t')[1];
  assert.equal(libbpf?.versionInfo, installed);
  assert.equal(relationTo(libbpf?.SPDXID), 'STATIC_LINK');
});

test('an image’s bill has the Debian packages that its dpkg has installed, and the bundle’s', () => {
  const admindir = join(bundle, '../dpkg');
  mkdirSync(admindir);
  const fields =
    'Maintainer: a <a@example.com>\nDescription: a\nArchitecture: arm64\nVersion: 1:2+b1';
  const states = {
    installed: '',
    'triggers-pending': 'Triggers-Pending: ldconfig\n',
    'triggers-awaited': 'Triggers-Awaited: of-installed\n',
    'config-files': '',
  };
  const stanzas = Object.entries(states).map(
    ([state, more]) => `Package: of-${state}\nStatus: install ok ${state}\n${more}${fields}\n`,
  );
  writeFileSync(join(admindir, 'status'), stanzas.join('\n'));
  node('deploy/image-sbom.ts', join(bundle, 'sbom.spdx.json'), admindir);
  const image = read();
  assertSpdx(image);
  const purls = image.packages.map(({ externalRefs: [ref] }) => ref?.referenceLocator);
  const debian = purls.filter((purl) => purl?.includes('/debian/of-')).toSorted();
  assert.deepEqual(debian, [
    'pkg:deb/debian/of-installed@1%3A2%2Bb1?arch=arm64',
    'pkg:deb/debian/of-triggers-awaited@1%3A2%2Bb1?arch=arm64',
    'pkg:deb/debian/of-triggers-pending@1%3A2%2Bb1?arch=arm64',
  ]);
  for (const { SPDXID } of sbom.packages)
    assert.ok(
      image.packages.some((part) => part.SPDXID === SPDXID),
      SPDXID,
    );
});

/** What the specification's JSON schema requires, and that what refers to something refers to it. */
function assertSpdx(document: Document): void {
  const { spdxVersion, dataLicense, SPDXID, creationInfo } = document;
  assert.deepEqual([spdxVersion, dataLicense, SPDXID], ['SPDX-2.3', 'CC0-1.0', 'SPDXRef-DOCUMENT']);
  assert.match(JSON.stringify(creationInfo), /"created":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/);
  assert.match(String(document.documentNamespace), /^https:[^#]+-[0-9a-f]{64}$/);
  const ids = document.packages.map((part) => part.SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  for (const part of document.packages) {
    for (const field of REQUIRED) assert.ok(part[field], `${part.name}: ${field}`);
    assert.match(part.SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
  }
  const known = new Set(['SPDXRef-DOCUMENT', ...ids]);
  for (const { spdxElementId, relatedSpdxElement } of document.relationships)
    assert.ok(known.has(spdxElementId) && known.has(relatedSpdxElement), relatedSpdxElement);
  const reached = new Set(document.relationships.map((relation) => relation.relatedSpdxElement));
  assert.deepEqual(reached, new Set(ids));
}

function npmPackages(): Package[] {
  return sbom.packages.filter(({ externalRefs: [ref] }) =>
    ref?.referenceLocator.startsWith('pkg:npm/'),
  );
}

/** Words of a package's code that minifying keeps: what is in quotes, and properties. */
function wordsOf(name: string): Set<string> {
  const cwd = join(ROOT, 'node_modules', name);
  const exclude = (path: string) => path.endsWith('node_modules');
  const files = globSync('**/*.{js,mjs,cjs}', { cwd, exclude });
  const text = files.map((file) => readFileSync(join(cwd, file), 'utf8')).join('\n');
  return new Set(text.match(/(?<=['"`.])[A-Za-z_][\w .:-]{5,}(?=['"`(=])/g));
}

/** Of each package's words those that no other has. */
function ownWords(names: readonly string[]): Map<string, string[]> {
  const words = new Map(names.map((name) => [name, wordsOf(name)]));
  const counts = new Map<string, number>();
  for (const set of words.values())
    for (const word of set) counts.set(word, (counts.get(word) ?? 0) + 1);
  const own = (set: Set<string>) => [...set].filter((word) => counts.get(word) === 1);
  return new Map([...words].map(([name, set]) => [name, own(set)]));
}

function relationTo(id: string | undefined): string | undefined {
  return sbom.relationships.find(({ relatedSpdxElement }) => relatedSpdxElement === id)
    ?.relationshipType;
}

function read(): Document {
  return JSON.parse(readFileSync(join(bundle, 'sbom.spdx.json'), 'utf8'));
}

function node(...args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: ROOT });
}
