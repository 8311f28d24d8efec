import { buildSync } from 'esbuild';

/** Returns a script or a style with everything that it imports, in ASCII. */
export function bundle(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    write: false,
  } as const);
  return outputFiles.map(({ text }) => text).join('');
}
