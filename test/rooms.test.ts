import { deepEqual, equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from './support/paths.ts';

const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
const ROOMS = ['source', 'lineage', 'enrich', 'redact', 'journal', 'export', 'print', 'telemetry'];

/** Lints the statements as one file under the project's rules; returns those that it refused. */
async function refusedOf(file: string, statements: readonly string[]): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), 'vcml-rooms-'));
  try {
    for (const part of ['biome.json', 'lint'])
      await cp(join(ROOT, part), join(root, part), { recursive: true });
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

/** For each room: what it may import beyond its own files, packages and the ground files. */
const WALLS: readonly (readonly [room: string, extra: readonly string[]])[] = [
  ['source', []],
  ['lineage', []],
  ['redact', []],
  ['enrich', ['kube/config.ts', 'kube/reflector.ts']],
  ['journal', []],
  ['export', []],
  ['print', []],
  ['telemetry', []],
  ['kube', []],
  [
    'config',
    [
      'redact/redactor.ts',
      'export/connect/endpoint.ts',
      'export/read/rules.ts',
      'telemetry/address.ts',
    ],
  ],
];
const GROUND = ['errors.ts', 'log-events.ts', 'files.ts', 'protobuf.ts'];

for (const [room, extra] of WALLS) {
  test(`agent/${room} may import its own files, ground files, record/ and packages`, async () => {
    const inside = [...GROUND, ...extra].map((path) => `../${path}`);
    const record = ['../../record/types.ts', '../../record/line/encode.ts'];
    const allowed = importsOf('./own.ts', 'node:fs', 'zod', '@scope/name', ...inside, ...record);
    deepEqual(await refusedOf(`agent/${room}/example.ts`, allowed), []);
  });

  test(`agent/${room} may import neither another room nor what stands above it`, async () => {
    const others = ROOMS.filter((other) => other !== room).map((other) => `../${other}/file.ts`);
    const above = ['../main.ts', '../cli.ts', '../commands/cat.ts', '../run/run.ts', '..'];
    const outside = ['../../forensics/file.ts', '../../test/file.ts', '../../bench/file.ts'];
    const forbidden = importsOf(...others, ...above, ...outside);
    deepEqual(await refusedOf(`agent/${room}/example.ts`, forbidden), forbidden);
  });
}

for (const room of ['enrich', 'journal', 'export']) {
  test(`a wing of agent/${room} may import its own room and what that may import`, async () => {
    const ground = GROUND.map((path) => `../../${path}`);
    const allowed = importsOf('./own.ts', '../file.ts', '../wing/file.ts', 'zod', ...ground);
    const record = importsOf('../../../record/types.ts');
    const others = ROOMS.filter((other) => other !== room).map((other) => `../../${other}/file.ts`);
    const above = ['../../main.ts', '../../run/run.ts', '../../../forensics/file.ts', '../..'];
    const forbidden = importsOf(...others, ...above);
    const refused = await refusedOf(`agent/${room}/wing/example.ts`, [
      ...allowed,
      ...record,
      ...forbidden,
    ]);
    deepEqual(refused, forbidden);
  });
}

test('no file names a type by import(…), which the linter does not see', async () => {
  for await (const path of glob('{agent,record,forensics}/**/*.ts', { cwd: ROOT })) {
    const text = await readFile(join(ROOT, path), 'utf8');
    equal(/(?<!await )\bimport\(/.exec(text), null, path);
  }
});

test('record/ imports nothing but itself and what Node has', async () => {
  const outside = importsOf('../agent/errors.ts', '../forensics/file.ts', 'zod', '@scope/name');
  const own = importsOf('./types.ts', './line/encode.ts', 'node:crypto');
  deepEqual(await refusedOf('record/example.ts', [...own, ...outside]), outside);
  const wing = importsOf('./byte-writer.ts', '../types.ts', '../fields/core.ts', 'node:buffer');
  const above = importsOf('../../agent/errors.ts', 'zod');
  deepEqual(await refusedOf('record/line/example.ts', [...wing, ...above]), above);
});

test('what runs in the report’s page does without Node', async () => {
  const forbidden = importsOf('node:fs', 'zod', '../agent/errors.ts');
  for (const file of ['fields', 'types', 'describe', 'visible', 'since', 'time'])
    deepEqual(
      await refusedOf(`record/${file}.ts`, [...importsOf('./own.ts'), ...forbidden]),
      forbidden,
    );
  const fields = importsOf('./field.ts', '../types.ts');
  const beyond = importsOf('node:fs', 'zod', '../line/encode.ts', '../../agent/errors.ts');
  deepEqual(await refusedOf('record/fields/example.ts', [...fields, ...beyond]), beyond);
});

test('the registries import nothing', async () => {
  const forbidden = importsOf('./version.ts', 'node:fs', 'zod');
  for (const file of ['errors', 'log-events'])
    deepEqual(await refusedOf(`agent/${file}.ts`, forbidden), forbidden);
});

test('a run knows every room, but not the command line above it', async () => {
  const allowed = importsOf(...ROOMS.map((room) => `../${room}/file.ts`), '../config/schema.ts');
  const forbidden = importsOf(
    '../main.ts',
    '../cli.ts',
    '../commands/cat.ts',
    '../../forensics/file.ts',
    '../../test/file.ts',
  );
  deepEqual(await refusedOf('agent/run/example.ts', [...allowed, ...forbidden]), forbidden);
});

test('the reader may import record/ and nothing of the agent', async () => {
  const allowed = importsOf('./file.ts', '../record/types.ts', '../record/line/reader.ts');
  const forbidden = importsOf('../agent/errors.ts', '../agent/journal/file.ts', '../test/file.ts');
  deepEqual(await refusedOf('forensics/example.ts', [...allowed, ...forbidden]), forbidden);
});
