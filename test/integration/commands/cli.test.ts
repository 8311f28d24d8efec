import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { EXIT } from '../../../agent/errors.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { AGENT_BIN, ROOT } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const TIMEOUT_MS = 20_000;

const folder = temporaryFolder();

function agent(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(AGENT_BIN, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    cwd: folder,
  });
  return { status, stdout, stderr };
}

function journalWith(...lines: string[]): string {
  const dir = mkdtempSync(join(folder, 'journal-'));
  writeFileSync(segmentOf(dir), lines.map((line) => `${line}\n`).join(''));
  return dir;
}

function segmentOf(dir: string): string {
  return join(dir, segmentName(1));
}

function recordAt(time: string, comm: string): string {
  return (
    `{"id":"${comm}","timestamp":${Date.parse(time)}000001,` +
    `"actor":{"pid":1,"ppid":0,"uid":0,"gid":0,"comm":"${comm}"},"action":"exec",` +
    `"object":"/bin/${comm}","parent_cause":null,"resource":{},"attributes":{}}`
  );
}

const COMMANDS = ['run', 'detach', 'status', 'cat', 'tail', 'config print', 'config check'];

for (const command of COMMANDS)
  test(`${command} --help shows its options on stdout`, () => {
    const { status, stdout, stderr } = agent(...command.split(' '), '--help');
    deepEqual([status, stderr], [0, '']);
    match(stdout, new RegExp(`^Usage: vcml-agent ${command} \\[options\\]`));
    match(stdout, /--journal-dir/);
    match(stdout, /--config <file>/);
  });

test('--help names every command, --version the version', () => {
  const { stdout } = agent('--help');
  for (const command of COMMANDS) match(stdout, new RegExp(`^ +${command.split(' ')[0]}\\b`, 'm'));
  for (const code of new Set(Object.values(EXIT)))
    match(stdout, new RegExp(`^ +${code} {2}\\S`, 'm'));
  match(stdout, /^Examples/m);
  ok(stdout.split('\n').every((line) => line.length <= 80));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  equal(agent('--version').stdout, `${version}\n`);
});

const misuses: [string[], RegExp][] = [
  [[], /Usage: vcml-agent/],
  [['nosuch'], /unknown command 'nosuch'/],
  [['run', '--nosuch'], /unknown option '--nosuch'/],
  [['run', '--journal-dir'], /argument missing/],
  [['cat', '--ring-size', '1MiB'], /unknown option '--ring-size'/],
  [['status', '--output', 'xml'], /text, json/],
  [['cat', '--print', 'none'], /text, jsonl/],
  [['cat', '--journal-dir', '.', '--since', 'tomorrow'], /--since is "tomorrow".*90s, 15m/],
  [['cat', '--journal-dir', '.', '--until', 'today'], /--until is "today".*90s, 15m/],
];

for (const [args, message] of misuses)
  test(`bad usage, exit code 64: vcml-agent ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = agent(...args);
    deepEqual([status, stdout], [64, '']);
    match(stderr, message);
  });

for (const command of ['run', 'detach', 'config check', 'config print'])
  test(`bad configuration, exit code 78, all of it at once: ${command}`, () => {
    const args = ['--wait-for-hook', '3', '--sync', 'x'];
    const { status, stdout, stderr } = agent(...command.split(' '), ...args);
    deepEqual([status, stdout], [78, '']);
    match(stderr, /^vcml-agent: configuration:\n {2}waitForHook .*\n {2}sync .*\n$/);
  });

test('config print says where each value comes from, and its output is a valid configuration', () => {
  const { stdout } = agent('config', 'print', '--sync', 'never', '--node-name', '0x1');
  match(stdout, /^sync: never +# --sync$/m);
  match(stdout, /^journalDir: \S+ +# default$/m);
  match(stdout, /^drainInterval: 50ms +# default$/m);
  match(stdout, /^ringSize: 32MiB +# default$/m);
  const file = join(folder, 'back.yaml');
  writeFileSync(file, stdout);
  const values = (text: string) => text.replaceAll(/ +#.*$/gm, '');
  equal(values(agent('config', 'print', '--config', file).stdout), values(stdout));
});

test('the launcher finds its files through symbolic links, also relative ones', () => {
  symlinkSync(AGENT_BIN, join(folder, 'link'));
  symlinkSync('link', join(folder, 'second'));
  equal(spawnSync('sh', ['-c', './second --version'], { cwd: folder }).status, 0);
  const path = `${folder}:${process.env.PATH}`;
  equal(spawnSync('sh', ['-c', 'second --version'], { env: { PATH: path } }).status, 0);
});

test('cat prints the whole lines of the journal unchanged', () => {
  const lines = [recordAt('2026-01-01T00:00:00Z', 'a'), recordAt('2026-01-02T00:00:00Z', 'b')];
  const dir = journalWith(...lines);
  appendFileSync(segmentOf(dir), '{"torn');
  equal(agent('cat', '--journal-dir', dir).stdout, `${lines.join('\n')}\n`);
});

test('cat --since accepts a time, or a duration before now', () => {
  const old = recordAt('2026-01-01T00:00:00Z', 'old');
  const recent = recordAt(new Date(Date.now() - 1000).toISOString(), 'recent');
  const dir = journalWith(old, recent);
  const cat = (since: string) => agent('cat', '--journal-dir', dir, '--since', since).stdout;
  equal(cat('2020-01-01T00:00:00Z'), `${old}\n${recent}\n`);
  equal(cat('2026-01-01T01:00:00+01:00'), `${old}\n${recent}\n`);
  equal(cat('2026-01-01T00:00:01Z'), `${recent}\n`);
  equal(cat('1h'), `${recent}\n`);
});

test('cat --until leaves out what came later', () => {
  const lines = [recordAt('2026-01-01T00:00:00Z', 'a'), recordAt('2026-01-02T00:00:00Z', 'b')];
  const dir = journalWith(...lines);
  const { stdout } = agent('cat', '--journal-dir', dir, '--until', '2026-01-02');
  equal(stdout, `${lines[0]}\n`);
});

test('cat --pod prints the records of one pod, and those of the journal', () => {
  const resource = (namespace: string, pod: string) =>
    `"resource":{"k8s.namespace.name":"${namespace}","k8s.pod.name":"${pod}"}`;
  const [inShop, inTest, other, quoting] = ['a', 'b', 'c', 'd'].map((comm) =>
    recordAt('2026-01-01T00:00:00Z', comm),
  );
  const lines = [
    inShop?.replace('"resource":{}', resource('shop', 'cart')),
    inTest?.replace('"resource":{}', resource('test', 'cart')),
    other?.replace('"resource":{}', resource('shop', 'cart-2')),
    quoting?.replace('/bin/d', JSON.stringify(resource('shop', 'cart')).slice(1, -1)),
    recordAt('2026-01-01T00:00:00Z', 'e').replace('"exec"', '"journal.loss"'),
  ];
  const dir = journalWith(...lines.map((line) => line ?? ''));
  const cat = (pod: string) => agent('cat', '--journal-dir', dir, '--pod', pod).stdout;
  equal(cat('shop/cart'), `${lines[0]}\n${lines[4]}\n`);
  equal(cat('cart'), `${lines[0]}\n${lines[1]}\n${lines[4]}\n`);
});

test('cat --zstd prints the same lines, compressed', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => recordAt('2026-01-01T00:00:00Z', `${i}`));
  const dir = journalWith(...lines);
  const args = ['cat', '--journal-dir', dir, '--zstd'];
  const { stdout } = spawnSync(AGENT_BIN, args, { timeout: TIMEOUT_MS });
  const text = spawnSync('zstd', ['-dc'], { input: stdout, encoding: 'utf8' }).stdout;
  equal(text, lines.map((line) => `${line}\n`).join(''));
  ok(stdout.length < text.length / 5);
});

test('cat --since prints what was recorded before the clock was set back', () => {
  const [old, recent] = ['2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'];
  const dir = journalWith(recordAt(recent, 'a'));
  writeFileSync(join(dir, '00000000000000000002.jsonl'), `${recordAt(old, 'b')}\n`);
  const archived = zstdCompressSync(`${recordAt(recent, 'c')}\n`);
  writeFileSync(join(dir, '00000000000000000003.jsonl.zst'), archived);
  writeFileSync(join(dir, '00000000000000000004.jsonl'), `${recordAt(recent, 'd')}\n`);
  for (const name of readdirSync(dir)) utimesSync(join(dir, name), new Date(old), new Date(old));
  const { status, stdout } = agent('cat', '--journal-dir', dir, '--since', '2026-01-02');
  const expected = ['a', 'c', 'd'].map((name) => `${recordAt(recent, name)}\n`).join('');
  deepEqual([status, stdout], [0, expected]);
});

test('cat prints the segments that can be read, names the others, and ends with 73', () => {
  const [a, b] = [recordAt('2026-01-01T00:00:00Z', 'a'), recordAt('2026-01-02T00:00:00Z', 'b')];
  const dir = journalWith(a);
  const damaged = ['00000000000000000002.jsonl.zst', '00000000000000000004.jsonl.zst'];
  for (const name of damaged) writeFileSync(join(dir, name), 'not zstd');
  writeFileSync(join(dir, '00000000000000000003.jsonl'), `${b}\n`);
  const { status, stdout, stderr } = agent('cat', '--journal-dir', dir);
  deepEqual([status, stdout], [73, `${a}\n${b}\n`]);
  const [first, second, ...more] = stderr.split('\n');
  match(first ?? '', new RegExp(`^vcml-agent: .*${damaged[0]} is damaged: .*; move it`));
  match(second ?? '', new RegExp(`^vcml-agent: .*${damaged[1]} is damaged: .*; move it`));
  deepEqual(more, ['']);
});

test('cat --print text shows one line for each record', () => {
  const dir = journalWith(recordAt('2026-01-01T00:00:00Z', 'a'));
  const { stdout } = agent('cat', '--journal-dir', dir, '--print', 'text');
  match(stdout, /^.* root +1 +\/bin\/a .*\n$/);
});

test('cat ends quietly when its output is closed', () => {
  const line = recordAt('2026-01-01T00:00:00Z', 'a');
  const dir = journalWith(...Array.from({ length: 50_000 }, () => line));
  const script = `"$0" cat --journal-dir "$1" | head -n 1; exit "\${PIPESTATUS[0]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, AGENT_BIN, dir], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${line}\n`, stderr: '' });
});

test('help whose output is closed is not an error', () => {
  const { status, stderr } = spawnSync('bash', ['-c', '"$0" run --help >&-', AGENT_BIN], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const script = 'set -o pipefail; for i in 1 2 3; do "$0" run --help | true; done';
  equal(spawnSync('bash', ['-c', script, AGENT_BIN], { encoding: 'utf8' }).stderr, '');
});

test('tail continues if the newest segment is compressed before it can be opened', async () => {
  const dir = mkdtempSync(join(folder, 'journal-'));
  symlinkSync('gone', segmentOf(dir));
  const child = spawn(AGENT_BIN, ['tail', '--journal-dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (!follows(child)) {
      equal(child.exitCode, null);
      await pause(50, undefined, { signal });
    }
    const later = recordAt('2026-01-02T00:00:00Z', 'later');
    writeFileSync(join(dir, '00000000000000000002.jsonl'), `${later}\n`);
    const [first] = await once(child.stdout, 'data', { signal });
    equal(String(first), `${later}\n`);
  } finally {
    child.kill('SIGKILL');
  }
});

/** It waits for changes of files. */
function follows({ pid }: ChildProcess): boolean {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).some((fd) => {
    try {
      return readlinkSync(join(dir, fd)).includes('inotify');
    } catch {
      return false;
    }
  });
}

test('tail prints new records, and ends in an orderly way on SIGTERM', async () => {
  const dir = journalWith(recordAt('2026-01-01T00:00:00Z', 'before'));
  const child = spawn(AGENT_BIN, ['tail', '--journal-dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const later = recordAt('2026-01-02T00:00:00Z', 'later');
    // Again and again: nothing tells when it has begun to follow.
    const writing = setInterval(() => appendFileSync(segmentOf(dir), `${later}\n`), 50);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const [first] = await once(child.stdout, 'data', { signal }).finally(() => {
      clearInterval(writing);
    });
    equal(String(first).split('\n')[0], later);
    child.kill('SIGTERM');
    deepEqual(await once(child, 'exit', { signal }), [0, null]);
  } finally {
    child.kill('SIGKILL');
  }
});
