import { deepEqual, equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const REPOSITORY = join(import.meta.dirname, '..');
const BIOME = join(REPOSITORY, 'node_modules/@biomejs/biome/bin/biome');
const ROOMS = ['source', 'lineage', 'enrich', 'redact', 'journal', 'export', 'telemetry'];

/** Lints the statements as one file under the project's rules; returns those that it refused. */
async function refusedOf(file: string, statements: readonly string[]): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), 'vcml-rooms-'));
  try {
    await cp(join(REPOSITORY, 'biome.json'), join(root, 'biome.json'));
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), `${statements.join('\n')}\n`);
    const refusedLines = await lint(root);
    return statements.filter((_, index) => refusedLines.has(index + 1));
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The lines with a refused import; any other complaint of the linter is an error of the test. */
async function lint(root: string): Promise<ReadonlySet<number>> {
  const args = [
    'lint',
    '--only=style/noRestrictedImports',
    '--reporter=json',
    '--max-diagnostics=none',
  ];
  const run = promisify(execFile)(process.execPath, [BIOME, ...args, '.'], { cwd: root });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { start: { line: number } } }[];
  };
  for (const { category } of report.diagnostics) equal(category, 'lint/style/noRestrictedImports');
  return new Set(report.diagnostics.map(({ location }) => location.start.line));
}

function importsOf(...paths: string[]): string[] {
  return paths.map((path) => `import '${path}';`);
}

for (const room of ROOMS) {
  test(`agent/${room} may import its own files, the nouns, the errors and packages`, async () => {
    const allowed = ['./own.ts', '../record.ts', '../errors.ts', 'node:fs', 'zod', '@scope/name'];
    deepEqual(await refusedOf(`agent/${room}/example.ts`, importsOf(...allowed)), []);
  });

  test(`agent/${room} may import neither another room nor what stands above it`, async () => {
    const others = ROOMS.filter((other) => other !== room).map((other) => `../${other}/file.ts`);
    const above = ['../main.ts', '../config.ts', '../commands/run.ts', '..'];
    const outside = ['../../forensics/file.ts', '../../test/file.ts'];
    const forbidden = importsOf(...others, ...above, ...outside);
    deepEqual(await refusedOf(`agent/${room}/example.ts`, forbidden), forbidden);
  });
}

test('no other way of writing a forbidden import is accepted', async () => {
  const forbidden = [
    `import type { Name } from '../source/file.ts'; export type Other = Name;`,
    `export { name } from '../source/file.ts';`,
    `export * from '../source/file.ts';`,
    `export const loaded = import('../source/file.ts');`,
    ...importsOf('./../source/file.ts', '../../agent/source/file.ts', '../source/../record.ts'),
  ];
  deepEqual(await refusedOf('agent/lineage/example.ts', forbidden), forbidden);
});

test('no file names a type by import(…), which the linter does not see', async () => {
  for await (const path of glob('agent/**/*.ts', { cwd: REPOSITORY })) {
    const text = await readFile(join(REPOSITORY, path), 'utf8');
    equal(/(?<!await )\bimport\(/.exec(text), null, path);
  }
});

test('the nouns import nothing', async () => {
  const forbidden = importsOf('./errors.ts', 'node:fs', 'zod');
  deepEqual(await refusedOf('agent/record.ts', forbidden), forbidden);
});

test('the composition root may import every room, but not the reader and not tests', async () => {
  const allowed = importsOf(...ROOMS.map((room) => `./${room}/file.ts`), './config.ts');
  const forbidden = importsOf('../forensics/file.ts', '../test/file.ts');
  deepEqual(await refusedOf('agent/main.ts', [...allowed, ...forbidden]), forbidden);
});

test('the reader may import the nouns and nothing else of the agent', async () => {
  const allowed = importsOf('./file.ts', '../agent/record.ts');
  const forbidden = importsOf('../agent/errors.ts', '../agent/journal/file.ts');
  deepEqual(await refusedOf('forensics/example.ts', [...allowed, ...forbidden]), forbidden);
});
