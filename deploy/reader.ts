// Copies what `vcml` and `kubectl vcml` need into one folder, which is an npm package:
// node deploy/reader.ts FOLDER
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { locked } from './fetch-package.ts';
import { writeReaderParts } from './parts.ts';

const ROOT = join(import.meta.dirname, '..');
const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: node deploy/reader.ts FOLDER');

/** The first Node that has what the reader uses. */
const NODE_MAJOR = 24;
/** What npm installs beside the reader: DuckDB, with a binary for each platform. */
const DEPENDENCIES = ['@duckdb/node-api', '@duckdb/node-bindings'];

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'bin'), { recursive: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  metafile: true,
  platform: 'node',
  target: `node${NODE_MAJOR}`,
  format: 'esm',
  splitting: true,
  external: DEPENDENCIES,
  // CommonJS packages need `require`.
  banner: {
    js: "import { createRequire as vcmlRequire } from 'node:module';const require=vcmlRequire(import.meta.url);",
  },
  entryPoints: ['forensics/main.ts', 'forensics/kubectl.ts', 'forensics/exec-lines/worker.ts'],
  outbase: ROOT,
  // forensics/installed.ts says why they are there.
  chunkNames: 'forensics/[name]-[hash]',
  outdir: folder,
});
for (const [name, main] of [
  ['vcml', 'main'],
  ['kubectl-vcml', 'kubectl'],
] as const) {
  const file = join(folder, 'bin', `${name}.js`);
  writeFileSync(file, launcher(main));
  chmodSync(file, 0o755);
}
for (const part of ['build/report', 'build/serve', 'build/scanner.wasm', 'build/causes.wasm'])
  cpSync(join(ROOT, part), join(folder, part), { recursive: true });
for (const part of ['LICENSE', 'docs/forensics.md']) cpSync(join(ROOT, part), join(folder, part));
cpSync(join(ROOT, 'deploy/reader-readme.md'), join(folder, 'README.md'));

const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const manifest = {
  name: 'vcml',
  version,
  description: 'Queries causal memory: what ran, where, who caused it, and what is missing.',
  license,
  type: 'module',
  bin: { 'kubectl-vcml': 'bin/kubectl-vcml.js', vcml: 'bin/vcml.js' },
  engines: { node: `>=${NODE_MAJOR}` },
  os: ['darwin', 'linux'],
  dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, locked(name).version])),
};
writeJson('package.json', manifest);
writeJson('npm-shrinkwrap.json', {
  name: manifest.name,
  version,
  lockfileVersion: 3,
  requires: true,
  packages: { '': manifest, ...lockedBelow(DEPENDENCIES) },
});
writeReaderParts(folder, metafile, DEPENDENCIES);

function launcher(main: string): string {
  return `#!/usr/bin/env node
if (Number.parseInt(process.versions.node, 10) >= ${NODE_MAJOR}) await import('../forensics/${main}.js');
else {
  console.error('vcml: Node ${NODE_MAJOR} or later is needed, and this is ' + process.versions.node);
  process.exitCode = 69;
}
`;
}

/** Returns the lock file's part of these packages and of all that they need. */
function lockedBelow(names: readonly string[]): Record<string, object> {
  const found = new Map<string, object>();
  const queue = [...names];
  for (const name of queue) {
    const entry = locked(name);
    found.set(`node_modules/${name}`, entry);
    for (const needed of [entry.dependencies, entry.optionalDependencies])
      for (const other of Object.keys(needed ?? {}))
        if (!found.has(`node_modules/${other}`)) queue.push(other);
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function writeJson(name: string, value: object): void {
  writeFileSync(join(String(folder), name), `${JSON.stringify(value, null, 2)}\n`);
}
