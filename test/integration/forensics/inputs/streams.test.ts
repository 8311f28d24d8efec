import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { lines, sound } from '../../../check/craft.ts';
import { Folder } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());
const JOURNAL = `${lines(Object.values(sound())).join('\n')}\n`;
const COUNT = Object.values(sound()).length;

interface Ran {
  readonly code: number;
  readonly records: number;
  readonly stderr: string;
}

/** Runs a shell command in which `vcml` is the reader, and counts the lines that it prints. */
async function shell(command: string, environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const script = `vcml() { exec ${VCML_BIN} "$@"; }; ${command}`;
  const env = { ...process.env, ...environment };
  const child = spawn('bash', ['-c', script], { cwd: folder.path, env });
  child.stdin.end();
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode ?? -1, records: stdout.split('\n').length - 1, stderr };
}

folder.write('a.jsonl', JOURNAL);
folder.write('a.jsonl.gz', gzipSync(JOURNAL));
folder.write('a.jsonl.zst', zstdCompressSync(JOURNAL));

describe('a stream is read to its end', () => {
  for (const [name, command] of Object.entries({
    'standard input by its path': 'cat a.jsonl | vcml query --output jsonl /dev/stdin',
    'standard input as a dash': 'cat a.jsonl | vcml query --output jsonl -',
    'a file as standard input': 'vcml query --output jsonl - < a.jsonl',
    'standard input that is named twice':
      'cat a.jsonl | vcml query --output jsonl - /dev/stdin /dev/fd/0',
    'a process substitution': 'vcml query --output jsonl <(zcat a.jsonl.gz)',
    'gzip by standard input': 'cat a.jsonl.gz | vcml query --output jsonl -',
    'zstd by standard input': 'cat a.jsonl.zst | vcml query --output jsonl -',
    'a writer that takes its time':
      '(head -c 700 a.jsonl; sleep 0.2; tail -c +701 a.jsonl) | vcml query --output jsonl -',
  }))
    test(name, async () => {
      const { code, records, stderr } = await shell(command);
      assert.deepEqual([code, records], [0, COUNT], stderr);
    });

  test('a named pipe, whose writer may come later', async () => {
    execFileSync('mkfifo', [`${folder.path}/pipe`]);
    const reading = shell('vcml query --output jsonl pipe');
    // Opening for writing waits for the reader.
    createWriteStream(`${folder.path}/pipe`).end(JOURNAL);
    const { code, records, stderr } = await reading;
    assert.deepEqual([code, records], [0, COUNT], stderr);
  });
});

test('a named pipe without a writer is named and given up, and the others are answered', async () => {
  execFileSync('mkfifo', [`${folder.path}/silent`]);
  const { code, records, stderr } = await shell('vcml query --output jsonl silent a.jsonl');
  assert.deepEqual([code, records], [3, COUNT]);
  assert.match(stderr, /waiting for what a program writes to silent/);
  assert.match(stderr, /silent: cannot be read: no program opened this pipe for writing/);
});

test('a pipe in a folder is not waited for, and is named', async () => {
  folder.write('with-pipe/a.jsonl', JOURNAL);
  execFileSync('mkfifo', [`${folder.path}/with-pipe/b.jsonl`]);
  const { code, records, stderr } = await shell('vcml query --output jsonl with-pipe');
  assert.deepEqual([code, records], [3, COUNT]);
  assert.match(stderr, /b\.jsonl: cannot be read: not a plain file/);
});

test('an empty stream is reported', async () => {
  const { code, records, stderr } = await shell('vcml query --output jsonl - </dev/null');
  assert.deepEqual([code, records], [0, 0]);
  assert.match(stderr, /-: has no lines/);
});

test('a device is no input', async () => {
  const { code, stderr } = await shell('vcml query /dev/zero');
  assert.equal(code, 2);
  assert.match(stderr, /\/dev\/zero: neither a file nor a pipe nor a folder/);
});

describe('the temporary folder', () => {
  test('is empty after a signal', async () => {
    const temporary = `${folder.path}/tmp`;
    folder.write('tmp/.keep', '');
    const child = spawn(VCML_BIN, ['query', '-'], { env: { ...process.env, TMPDIR: temporary } });
    while (readdirSync(temporary).length < 2) await new Promise((turn) => setTimeout(turn, 10));
    child.kill('SIGINT');
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGINT');
    assert.deepEqual(readdirSync(temporary), ['.keep']);
  });

  test('is needed only for what must be copied', async () => {
    const nowhere = { TMPDIR: '/nonexistent' };
    const plain = await shell('vcml query --output jsonl a.jsonl a.jsonl.zst', nowhere);
    assert.deepEqual([plain.code, plain.records], [0, COUNT], plain.stderr);
    const both = await shell('vcml query --output jsonl a.jsonl a.jsonl.gz', nowhere);
    assert.deepEqual([both.code, both.records], [3, COUNT]);
    assert.match(both.stderr, /a\.jsonl\.gz: cannot be read: the temporary folder .*set TMPDIR/);
  });
});
