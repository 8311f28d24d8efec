import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../../support/paths.ts';

/** OpenTelemetry's gRPC packages load the library with a require that esbuild does not recognize. */
const visibleRequires: Plugin = {
  name: 'visible-requires',
  setup({ onLoad }) {
    onLoad({ filter: /\/@opentelemetry\/otlp-grpc-exporter-base\/.*\.mjs$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('__require("@grpc', 'require("@grpc'),
    }));
  },
};

/** Puts life.ts, with all that it imports, into one file, since a small program starts quickly. */
export async function bundleLife(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'life/life.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    plugins: [visibleRequires],
    logLevel: 'error',
    // The agent finds its own files from where a source file lies.
    define: { 'import.meta.url': 'sourceUrl', 'import.meta.dirname': '""' },
    banner: { js: `const sourceUrl=${JSON.stringify(pathToFileURL(join(ROOT, 'agent/x.ts')))};` },
  });
}
