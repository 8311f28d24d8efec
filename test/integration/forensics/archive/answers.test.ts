import { deepEqual, equal, match } from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { compressSegment } from '../../../../agent/journal/archive/compress.ts';
import { type Draft, exec, execId, lines, start, text } from '../../../check/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { Folder, type Ran, segment, vcml, vcmlWith } from '../../../support/forensics.ts';
import { NO_S3, type S3, startS3 } from '../../../support/s3/s3.ts';
import { startServer } from '../../../support/serve/server.ts';

const options = { skip: NO_S3 };
const NODES = 3;
const RECORDS = 400;
/** The root of an archive, in S3 and on disk. */
const REMOTE = 's3://archive/cluster';

const folder = new Folder();
const LOCAL = join(folder.path, 'cluster');
let s3: S3;

function record(node: number, n: number): Draft {
  const cause = n % 50 === 0 ? {} : { parent: execId(idAt(node, n - 1), 100 + n - 1) };
  const one = exec(idAt(node, n), 100 + n, 0, n + 1, cause);
  one.resource = {
    'host.name': `node-${node}`,
    'os.type': 'linux',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': `cart-${n % 5}`,
  };
  return one;
}
const idAt = (node: number, n: number) => 1_000_000 * node + 10 * n + 10;

/** Writes journals of several nodes, one closed and one open segment each, and what a collector has. */
async function writeArchive(): Promise<void> {
  for (let node = 0; node < NODES; node += 1) {
    const all = Array.from({ length: RECORDS }, (_, n) => record(node, n));
    const begin = start([1]);
    begin.resource = record(node, 0).resource;
    const dir = `cluster/node-${node}/journal`;
    folder.journal(`${dir}/${segment(1)}`, [text(begin), ...lines(all.slice(0, 300))]);
    folder.journal(`${dir}/${segment(2)}`, lines(all.slice(300)));
    await compressSegment(join(folder.path, dir), 1, 1, new AbortController().signal);
    // Files of the agent.
    folder.write(`${dir}/state.json`, '{"what":"ever"}\n');
    folder.write(`${dir}/lock`, '');
  }
  const logs = Array.from({ length: 40 }, (_, n) => record(7, n));
  const day = 'cluster/otlp/year=2026/month=11/day=29/hour=10';
  const part = (from: number) => otlpLine(logs.slice(from, from + 20).map(logRecord));
  folder.write(`${day}/minute=01/logs_k3jXvQe81.json`, part(0));
  folder.write(`${day}/minute=02/logs_b1fPPzGRm.json.gz`, gzipSync(part(20)));
}

if (NO_S3 === false) {
  await writeArchive();
  s3 = await startS3({ after });
  await s3.putFolder(LOCAL, 'cluster');
}
after(() => folder.close());

const [first, last] = [record(1, 0), record(1, 40)].map(({ id }) => String(id)) as [string, string];
const COMMANDS: readonly (readonly string[])[] = [
  ['chain', last],
  ['chain', '--output', 'sentences', last.slice(0, 8)],
  ['chain', 'ffffffff'],
  ['tree', first],
  ['tree', '--output', 'jsonl', '--pod', 'shop/cart-3', '--limit', '50'],
  ['query', '--limit', '30', '--node', 'node-2'],
  ['query', '--output', 'jsonl'],
  ['query', '--since', '2025-11-24', '--until', '2025-11-25', '--pod', 'cart-1'],
  [
    'query',
    '--sql',
    'SELECT file, count(*) AS n, min(time) FROM records GROUP BY 1 ORDER BY 1',
    '--output',
    'csv',
  ],
  ['gaps'],
  ['stats', '--output', 'json'],
  ['audit'],
  ['audit', '--output', 'csv'],
];

/** What a command said, with the names that the files have on disk. */
function asLocal({ code, stdout, stderr }: Ran): Ran {
  const renamed = (said: string) => said.replaceAll(REMOTE, LOCAL);
  const rest = stderr.replace(/^vcml: read from S3: .*\n/m, '');
  return { code, stdout: renamed(stdout), stderr: renamed(rest) };
}

/** Objects are no journal, so that their checkpoints are not compared, and the answer says so. */
function withoutTrees({ code, stdout, stderr }: Ran): Ran {
  const rest = stderr.replaceAll(
    /^vcml: .*(whether lines were changed|changes in \w+ cannot be found).*\n/gm,
    '',
  );
  return { code, stdout, stderr: rest };
}

describe('an archive answers as the files that were copied there', options, () => {
  for (const command of COMMANDS)
    test(command.join(' '), async () => {
      const remote = await vcmlWith(s3.env, ...command, REMOTE);
      match(remote.stderr, /^vcml: read from S3: 11 objects, 0\.\d MiB$/m);
      deepEqual(withoutTrees(asLocal(remote)), withoutTrees(await vcml(...command, LOCAL)));
    });

  test('one segment, with its index', async () => {
    const part = `node-1/journal/${segment(1)}.zst`;
    const remote = await vcmlWith(s3.env, 'chain', last, `${REMOTE}/${part}`);
    match(remote.stderr, /^vcml: read from S3: 1 object,/m);
    deepEqual(asLocal(remote), await vcml('chain', last, join(LOCAL, part)));
  });

  test('beside files of this machine', async () => {
    const args = ['query', '--output', 'jsonl'];
    const mixed = await vcmlWith(s3.env, ...args, `${REMOTE}/node-1`, join(LOCAL, 'node-0'));
    equal(mixed.code, 0, mixed.stderr);
    const local = await vcml(...args, join(LOCAL, 'node-1'), join(LOCAL, 'node-0'));
    equal(mixed.stdout, local.stdout);
  });

  test('a report', async () => {
    const [one, other] = ['remote.html', 'local.html'].map((name) => join(folder.path, name)) as [
      string,
      string,
    ];
    const remote = await vcmlWith(s3.env, 'report', last, REMOTE, '-o', one, '--title', 'a');
    equal(remote.code, 0, remote.stderr);
    const local = await vcml('report', last, LOCAL, '-o', other, '--title', 'a');
    equal(local.code, 0, local.stderr);
    match(readFileSync(one, 'utf8'), /a/);
    equal(remote.stderr.includes('records in'), true);
  });

  test('a server', async (t) => {
    Object.assign(process.env, s3.env);
    const served = async (input: string) => {
      const server = await startServer(t, input);
      const { status, body } = await server.send('/api/export?form=jsonl');
      equal(status, 200, body);
      await server.stop();
      return body;
    };
    equal(await served(REMOTE), await served(LOCAL));
  });

  test('an export to Parquet', async () => {
    const dir = join(folder.path, 'parquet');
    const { code, stderr } = await vcmlWith(s3.env, 'export', '--parquet', dir, REMOTE);
    equal(code, 0, stderr);
    rmSync(dir, { recursive: true });
  });

  test('what it fetched is gone afterwards', async () => {
    const temporary = new Folder();
    const { code } = await vcmlWith({ ...s3.env, TMPDIR: temporary.path }, 'gaps', REMOTE);
    equal(code, 0);
    deepEqual(readdirSync(temporary.path), []);
    temporary.close();
  });
});

describe('inputs name objects as they name files', options, () => {
  const count = async (input: string) => {
    const { code, stdout, stderr } = await vcmlWith(
      s3.env,
      'query',
      '--sql',
      'SELECT count(DISTINCT file) AS n FROM records',
      '--output',
      'csv',
      input,
    );
    return code === 0 ? Number(stdout.split('\n')[1]) : stderr;
  };
  for (const [pattern, files] of [
    ['s3://archive', 8],
    ['s3://archive/', 8],
    ['s3://archive/cluster/**', 8],
    ['s3://archive/cluster/node-?/journal', 6],
    ['s3://archive/cluster/*', 8],
    ['s3://archive/**/*.zst', 3],
    [`s3://archive/cluster/node-[12]/**/${segment(2)}`, 2],
    ['s3://archive/cluster/{node-0,otlp}/', 4],
    ['s3://archive/cluster/otlp/year=2026/month=11/day=29/*/minute=02', 1],
    ['s3://archive/**/*.json.gz', 1],
  ] as const)
    test(pattern, async () => equal(await count(pattern), files));

  test('a name that is only the beginning of others names nothing', async () => {
    match(String(await count('s3://archive/cluster/node-')), /no object has this name/);
  });
});
