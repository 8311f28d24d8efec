// Copies everything that the agent needs into one folder: node deploy/bundle.ts FOLDER [BUILT].
// BUILT contains the addon and the kernel side and, for another architecture, Node.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { nodePackage } from './node-package.ts';
import { writeParts } from './parts.ts';

const ROOT = join(import.meta.dirname, '..');
const [, , folder, built = 'build'] = process.argv;
if (folder === undefined) throw new Error('usage: node deploy/bundle.ts FOLDER [BUILT]');

/** The client library does nothing when it is loaded, so the bundle can leave out unused parts. */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$|^\./ }, async ({ path, ...args }) => {
      const inside = args.importer.includes('/@kubernetes/client-node/');
      if (args.pluginData === 'resolved' || !(inside || path.startsWith('@'))) return undefined;
      const resolved = await resolve(path, { ...args, pluginData: 'resolved' });
      return { ...resolved, sideEffects: false };
    });
  },
};

/**
 * Only the client library's own requests use this; the agent's use node:https
 * (agent/kube/request.ts).
 */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * An import loads everything: for node:http that includes undici for WebSockets, and takes 15 MiB.
 */
const builtinsAsAskedFor: Plugin = {
  name: 'builtins-as-asked-for',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z:/_]+$/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

/** OpenTelemetry's gRPC packages load the library with a require that esbuild does not recognize. */
const visibleRequires: Plugin = {
  name: 'visible-requires',
  setup({ onLoad }) {
    onLoad({ filter: /\/@opentelemetry\/otlp-grpc-exporter-base\/.*\.mjs$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('__require("@grpc', 'require("@grpc'),
    }));
  },
};

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'build'), { recursive: true });
const options = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  metafile: true as const,
  platform: 'node' as const,
  target: 'node26',
};
const agent = await build({
  ...options,
  format: 'esm',
  splitting: true,
  plugins: [builtinsAsAskedFor, onlyWhatIsUsed, withoutUndici, visibleRequires],
  // CommonJS packages need `require`.
  banner: {
    js: "import { createRequire as vcmlRequire } from 'node:module';const require=vcmlRequire(import.meta.url);",
  },
  // As deep as in the sources, because agent/version.ts looks for package.json above itself.
  entryPoints: { 'agent/main': 'agent/main.ts' },
  chunkNames: 'agent/[name]-[hash]',
  outdir: folder,
});
// The log loads it by its name.
const outfile = join(folder, 'node_modules/pino/index.js');
const pino = await build({ ...options, format: 'cjs', entryPoints: ['pino'], outfile });
const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const manifest = { name, version, license, type: 'module' };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest)}\n`);
writeFileSync(join(folder, 'node_modules/pino/package.json'), '{"type":"commonjs"}\n');
for (const file of ['exec.bpf.o', 'vcml_hook.node'])
  copyFileSync(join(ROOT, built, file), join(folder, 'build', file));
for (const part of ['bin/vcml-agent', 'LICENSE', 'LICENSES'])
  cpSync(join(ROOT, part), join(folder, part), { recursive: true });
// The launcher looks for Node there.
const node = nodePackage(join(ROOT, built));
cpSync(join(node.folder, 'bin/node'), join(folder, 'node_modules', node.name, 'bin/node'));
writeParts(folder, [agent.metafile, pino.metafile], join(ROOT, built));
