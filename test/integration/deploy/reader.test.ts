import assert from 'node:assert/strict';
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { ROOT, VCML_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ARCH = process.arch === 'x64' ? 'amd64' : process.arch;
const JOURNAL = join(ROOT, 'test/integration/forensics/cases/inputs/base.jsonl');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const folder = temporaryFolder();
const packed = join(folder, 'packed');
const prefix = join(folder, 'prefix');
/** Node is in the PATH, and nothing of the repository. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder };

before(() => {
  pack(packed);
  // No scripts run: what the reader needs is in the packages.
  run('npm', 'install', '--global', '--ignore-scripts', `--prefix=${prefix}`, tarball(packed));
});

test('the package, installed into an empty prefix, answers as the repository does', () => {
  const files = join(folder, 'journal');
  mkdirSync(files);
  writeFileSync(join(files, 'base.jsonl'), readFileSync(JOURNAL));
  const vcml = join(prefix, 'bin/vcml');
  assert.match(run(vcml, '--help').stdout, /Usage: vcml /);
  assert.equal(run(vcml, '--version').stdout, `${version}\n`);
  for (const args of [
    ['query', files],
    ['query', '--sql', 'SELECT count(*) AS n, count(DISTINCT node) FROM records', files],
    ['stats', files],
    ['audit', files],
  ]) {
    const [installed, ours] = [tried(vcml, ...args), tried(VCML_BIN, ...args)];
    assert.ok(ours.stdout.length > 0, args.join(' '));
    assert.deepEqual([installed.status, installed.stdout], [ours.status, ours.stdout]);
  }
  const page = join(folder, 'page.html');
  run(vcml, 'report', '--out', page, files);
  assert.match(readFileSync(page, 'utf8'), /<!doctype html>/i);
});

test('the package has kubectl’s plug-in, too', () => {
  const { stdout } = run(join(prefix, 'bin/kubectl-vcml'), '--help');
  assert.match(stdout, /Usage: kubectl vcml /);
});

test('the package has nothing of the agent, and no path of the machine that built it', () => {
  const names = readdirSync(join(prefix, 'lib/node_modules/vcml')).toSorted();
  assert.deepEqual(
    names,
    [
      'LICENSE',
      'LICENSES',
      'README.md',
      'bin',
      'build',
      'docs',
      'forensics',
      'node_modules',
      'npm-shrinkwrap.json',
      'package.json',
      'sbom.spdx.json',
    ].toSorted(),
  );
  const code = globSync(`${prefix}/lib/node_modules/vcml/forensics/**/*.js`);
  assert.ok(code.length > 10);
  for (const file of code)
    assert.doesNotMatch(readFileSync(file, 'utf8'), /vcml_hook\.node|exec\.bpf\.o/, file);
  for (const file of code) assert.ok(!readFileSync(file, 'utf8').includes(ROOT), file);
});

test('npm installs DuckDB in the versions of the lock file, and for all platforms', () => {
  const lock = packagesIn(join(ROOT, 'package-lock.json'));
  const shrinkwrap = packagesIn(join(prefix, 'lib/node_modules/vcml/npm-shrinkwrap.json'));
  for (const platform of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']) {
    const name = `node_modules/@duckdb/node-bindings-${platform}`;
    assert.deepEqual(shrinkwrap[name], lock[name]);
  }
  const installed = `${prefix}/lib/node_modules/vcml/node_modules/@duckdb/node-bindings`;
  const { version: ours } = lock['node_modules/@duckdb/node-bindings'] ?? {};
  const manifest = JSON.parse(readFileSync(`${installed}/package.json`, 'utf8'));
  assert.equal(manifest.version, ours);
});

test('an older Node is named, with what is needed', () => {
  const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.1.0'}})`;
  const { status, stderr } = tried(
    process.execPath,
    '--import',
    older,
    join(prefix, 'bin/vcml'),
    '--help',
  );
  assert.deepEqual(
    [status, stderr],
    [69, 'vcml: Node 24 or later is needed, and this is 20.1.0\n'],
  );
});

test('the archive of kubectl’s plug-in is what its manifest says, and runs from it', (t) => {
  const { spec } = parse(readFileSync(join(packed, 'vcml.yaml'), 'utf8'));
  assert.equal(spec.version, `v${version}`);
  const [{ selector, uri, sha256, bin }] = spec.platforms;
  assert.deepEqual(selector, { matchLabels: { os: 'linux', arch: ARCH } });
  const name = `kubectl-vcml-${version}-linux-${ARCH}.tar.gz`;
  assert.equal(uri, `https://downloads.example/${name}`);
  const archive = join(packed, name);
  assert.equal(createHash('sha256').update(readFileSync(archive)).digest('hex'), sha256);
  const store = temporaryFolder(t);
  run('tar', '-xf', archive, '-C', store);
  // krew links to it.
  symlinkSync(join(store, bin), join(store, 'kubectl-vcml'));
  assert.match(run(join(store, 'kubectl-vcml'), '--help').stdout, /Usage: kubectl vcml /);
  const query = run(join(store, 'bin/vcml.js'), 'stats', JOURNAL);
  assert.equal(query.stdout, run(VCML_BIN, 'stats', JOURNAL).stdout);
});

test('a second packing gives the same bytes, whatever the umask', () => {
  const again = join(folder, 'again');
  const umask = process.umask(0o077);
  try {
    pack(again);
  } finally {
    process.umask(umask);
  }
  assert.deepEqual(digests(again), digests(packed));
});

/** Packs the reader for this platform. */
function pack(to: string): void {
  const reader = `${to}-from`;
  const options = { ...env, SOURCE_DATE_EPOCH: '1790000000' };
  for (const args of [
    ['deploy/reader.ts', reader],
    ['deploy/release/pack-reader.ts', reader, to, 'https://downloads.example', `linux-${ARCH}`],
  ])
    execFileSync(process.execPath, args, { cwd: ROOT, env: options, stdio: 'pipe' });
}

function tarball(from: string): string {
  return join(from, `vcml-${version}.tgz`);
}

function digests(from: string): string[] {
  return readdirSync(from).map(
    (name) =>
      `${name} ${createHash('sha256')
        .update(readFileSync(join(from, name)))
        .digest('hex')}`,
  );
}

function packagesIn(file: string): Record<string, { readonly version: string }> {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function tried(command: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: 'utf8', env, cwd: folder });
}

/** Runs what must succeed. */
function run(command: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  const ran = tried(command, ...args);
  assert.equal(ran.status, 0, `${command} ${args.join(' ')}: ${ran.stderr}`);
  return ran;
}
