import { deepEqual, equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './support/paths.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
const GROUND = ['errors.ts', 'log-events.ts', 'files.ts', 'protobuf.ts'];
const ABOVE = ['main.ts', 'cli.ts', 'commands/cat.ts', 'run/run.ts'];
const OUTSIDE = ['forensics/file.ts', 'test/file.ts', 'bench/file.ts'];
const PAGE_FILES = ['fields', 'types', 'describe', 'node', 'visible', 'since', 'time'];

/** For each room: what it may import beyond its own files, packages, record/ and ground files. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  source: [],
  lineage: [],
  enrich: ['kube/config.ts', 'kube/reflector.ts'],
  journal: [],
  export: [],
  print: [],
  telemetry: [],
  kube: [],
  config: ['export/connect/endpoint.ts', 'export/read/rules.ts', 'telemetry/address.ts'],
};
/** These know the rooms. */
const JOINING = ['commands', 'run'];

/** What a file of this name may import and what not. */
interface Wall {
  readonly title: string;
  readonly file: string;
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

/** The wall around a room's own files, or around its wings' files, which are one folder deeper. */
function roomWall(room: string, extra: readonly string[], wing: boolean): Wall {
  const up = wing ? '../../' : '../';
  const grounds = room === 'enrich' ? ['kube'] : [];
  const others = Object.keys(ROOMS).filter((other) => ![room, ...grounds].includes(other));
  const own = wing ? ['../file.ts', '../wing/file.ts'] : ['./own.ts', './wing/file.ts'];
  return {
    title: `agent/${room}${wing ? '/*' : ''} imports its own room, ground files and packages, but no other room`,
    file: `agent/${room}/${wing ? 'wing/' : ''}example.ts`,
    allowed: [
      ...own,
      'node:fs',
      'zod',
      '@scope/name',
      ...[...GROUND, ...extra].map((path) => up + path),
      ...['types.ts', 'line/encode.ts'].map((path) => `${up}../record/${path}`),
    ],
    refused: [
      ...others.map((other) => `${up}${other}/file.ts`),
      ...ABOVE.map((path) => up + path),
      ...OUTSIDE.map((path) => `${up}../${path}`),
      up.slice(0, -1),
    ],
  };
}

const WALLS: readonly Wall[] = [
  ...Object.entries(ROOMS).map(([room, extra]) => roomWall(room, extra, false)),
  roomWall('enrich', ['kube/reflector.ts'], true),
  ...['journal', 'export'].map((room) => roomWall(room, [], true)),
  {
    title: 'record/ imports nothing but itself and Node',
    file: 'record/example.ts',
    allowed: ['./types.ts', './line/encode.ts', 'node:crypto'],
    refused: ['../agent/errors.ts', '../forensics/file.ts', 'zod', '@scope/name'],
  },
  {
    title: 'record/line imports nothing but record/ and Node',
    file: 'record/line/example.ts',
    allowed: ['./byte-writer.ts', '../types.ts', '../fields/core.ts', 'node:buffer'],
    refused: ['../../agent/errors.ts', 'zod'],
  },
  {
    title: 'record/index imports nothing but record/ and Node',
    file: 'record/index/example.ts',
    allowed: [
      './id-set.ts',
      '../exact-json.ts',
      '../line/layout.ts',
      'node:zlib',
      'node:fs/promises',
    ],
    refused: ['../../agent/errors.ts', '../../forensics/file.ts', 'zod'],
  },
  {
    title: 'record/fields runs in the report’s page, without Node',
    file: 'record/fields/example.ts',
    allowed: ['./field.ts', '../types.ts', '../time.ts'],
    refused: ['node:fs', 'zod', '../ids.ts', '../line/encode.ts', '../../agent/errors.ts'],
  },
  {
    title: 'redact/ imports nothing but itself, not even node:',
    file: 'redact/example.ts',
    allowed: ['./values.ts', './forms/sql.ts'],
    refused: ['node:fs', 'zod', '../record/types.ts', '../agent/errors.ts', '../forensics/file.ts'],
  },
  {
    title: 'the wings of redact/ import their own wing and its ground',
    file: 'redact/forms/example.ts',
    allowed: ['./sql.ts', '../values.ts'],
    refused: ['node:fs', '../commands/walk.ts', '../../record/types.ts', '../../agent/errors.ts'],
  },
  ...PAGE_FILES.map((name) => ({
    title: `record/${name}.ts runs in the report’s page, without Node`,
    file: `record/${name}.ts`,
    allowed: [...PAGE_FILES.map((other) => `./${other}.ts`), './fields/core.ts'],
    refused: ['node:fs', 'zod', './ids.ts', './line/encode.ts', '../agent/errors.ts'],
  })),
  {
    title: 'the report’s page runs without Node',
    file: 'forensics/report/page/example.ts',
    allowed: [
      './own.ts',
      '../packed.ts',
      ...PAGE_FILES.map((name) => `../../../record/${name}.ts`),
    ],
    refused: [
      'node:fs',
      'fs',
      'zod',
      '../render.ts',
      '../../../record/ids.ts',
      '../../../record/line/reader.ts',
      '../../audit/audit.ts',
      '../../../agent/errors.ts',
    ],
  },
  {
    title: 'the served page runs without Node, and shares the report’s page',
    file: 'forensics/serve/page/example.ts',
    allowed: [
      './own.ts',
      '../../report/packed.ts',
      '../../report/page/list.ts',
      ...PAGE_FILES.map((name) => `../../../record/${name}.ts`),
    ],
    refused: [
      'node:fs',
      'fs',
      'zod',
      '../server.ts',
      '../../report/render.ts',
      '../../../record/ids.ts',
      '../../../agent/errors.ts',
    ],
  },
  {
    title: 'the form of a packed report is known to the page, and imports nothing',
    file: 'forensics/report/packed.ts',
    allowed: [],
    refused: ['./pack.ts', 'node:fs', 'zod'],
  },
  ...['errors', 'log-events'].map((name) => ({
    title: `the registry agent/${name}.ts imports nothing`,
    file: `agent/${name}.ts`,
    allowed: [],
    refused: ['./version.ts', 'node:fs', 'zod'],
  })),
  ...['files', 'protobuf'].map((name) => ({
    title: `the ground file agent/${name}.ts imports packages only`,
    file: `agent/${name}.ts`,
    allowed: ['node:fs', '@scope/name'],
    refused: ['./version.ts', './journal/file.ts', '../record/types.ts'],
  })),
  ...['', 'session/', 'resume/'].map((wing) => {
    const up = wing === '' ? '../' : '../../';
    return {
      title: `agent/run/${wing}* knows every room, but not the command line above it`,
      file: `agent/run/${wing}example.ts`,
      allowed: [...Object.keys(ROOMS).map((room) => `${up}${room}/file.ts`), `${up}errors.ts`],
      refused: [
        'main.ts',
        'cli.ts',
        'commands/cat.ts',
        '../forensics/file.ts',
        '../test/file.ts',
      ].map((path) => up + path),
    };
  }),
  {
    title: 'agent/ knows neither its reader nor its tests',
    file: 'agent/example.ts',
    allowed: ['./run/run.ts', './journal/file.ts', '../record/types.ts'],
    refused: OUTSIDE.map((path) => `../${path}`),
  },
  {
    title: 'forensics/ knows record/, redact/ and nothing of the agent',
    file: 'forensics/example.ts',
    allowed: [
      './file.ts',
      '../record/types.ts',
      '../record/line/reader.ts',
      '../redact/redactor.ts',
    ],
    refused: ['../agent/errors.ts', '../agent/journal/file.ts', '../test/file.ts'],
  },
];

const refusedLines = lintExamples();

for (const { title, file, allowed, refused } of WALLS)
  test(title, () => {
    const lines = refusedLines.get(file) ?? new Set();
    deepEqual(
      [...allowed, ...refused].filter((_, index) => lines.has(index + 1)),
      refused,
    );
  });

test('every folder of agent/ has a wall', () => {
  const folders = readdirSync(join(ROOT, 'agent'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  deepEqual(folders.sort(), [...Object.keys(ROOMS), ...JOINING].sort());
});

test('no file names a type by import(…), which the linter does not see', () => {
  for (const path of globSync('{agent,record,redact,forensics}/**/*.ts', { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    equal(/(?<!await )\bimport\(/.exec(text), null, path);
  }
});

/** Lints a file for each wall; returns, by file, the lines with a refused import. */
function lintExamples(): ReadonlyMap<string, ReadonlySet<number>> {
  const root = temporaryFolder();
  for (const part of ['biome.json', 'lint'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  for (const { file, allowed, refused } of WALLS) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    const imports = [...allowed, ...refused].map((path) => `import '${path}';\n`);
    writeFileSync(join(root, file), imports.join(''));
  }
  const rule = ['--only=style/noRestrictedImports', '--max-diagnostics=none', '--reporter=json'];
  const { stdout } = spawnSync(process.execPath, [BIOME, 'lint', ...rule, '.'], {
    cwd: root,
    encoding: 'utf8',
  });
  const report = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string; start: { line: number } } }[];
  };
  const found = new Map<string, Set<number>>();
  for (const { category, location } of report.diagnostics) {
    equal(category, 'lint/style/noRestrictedImports');
    const lines = found.get(location.path) ?? new Set();
    found.set(location.path, lines.add(location.start.line));
  }
  return found;
}
