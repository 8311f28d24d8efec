import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { exec, lines, sound, text } from '../../../check/craft.ts';
import { Folder, type Ran, remarksIn, segment, vcml } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());
const RECORDS = Object.values(sound());
const JOURNAL = `${lines(RECORDS).join('\n')}\n`;

/** What the agent keeps in the folder of a journal (docs/how-it-works.md), also while it writes it. */
const OWN = [
  'state.json',
  'state.json.tmp',
  'checkpoint.json',
  'deletions.json',
  'deletions.json.reserve',
  'ancestors.json',
  'containers.jsonl',
  'containers.jsonl.tmp',
  'run-options.json',
  'export-cursor.json',
  'export-cursor.json.tmp',
  'dead-letters.jsonl',
  'dead-letters.1.jsonl',
  '00000000000000000001.index',
  '00000000000000000001.index.tmp',
  '00000000000000000001.jsonl.zst.tmp',
];

const query = (...paths: string[]) => vcml('query', '--output', 'jsonl', ...paths);
const count = ({ stdout }: Ran) => stdout.split('\n').length - 1;

/** Asserts that the answer has these records and nothing to remark. */
function assertAnswer(ran: Ran, records = RECORDS.length): void {
  assert.deepEqual([ran.code, count(ran), remarksIn(ran.stderr)], [0, records, '']);
}

describe('one file under several names counts once', () => {
  test('in two spellings, through a link to it, and through a link to its folder', async () => {
    const file = folder.write('one/a.jsonl', JOURNAL);
    symlinkSync('a.jsonl', `${folder.path}/one/b.jsonl`);
    symlinkSync('one', `${folder.path}/link`);
    assertAnswer(
      await query(
        file,
        `${folder.path}/one/../one/a.jsonl`,
        `${folder.path}/one`,
        `${folder.path}/link`,
        `${folder.path}/li*`,
      ),
    );
  });

  test('as a segment that exists in both forms, whichever is named', async () => {
    const plain = folder.write(`both/${segment(1)}`, JOURNAL);
    folder.write(`both/${segment(1)}.zst`, zstdCompressSync(JOURNAL));
    symlinkSync('both', `${folder.path}/both-link`);
    assertAnswer(await query(`${folder.path}/both`));
    assertAnswer(await query(plain, `${folder.path}/both-link/${segment(1)}.zst`));
  });
});

test('a segment whose compressed form is damaged is read from its plain form', async () => {
  folder.write(`spare/${segment(1)}`, JOURNAL);
  folder.write(`spare/${segment(1)}.zst`, Buffer.alloc(500));
  const ran = await query(`${folder.path}/spare`);
  assert.deepEqual([ran.code, count(ran)], [0, RECORDS.length]);
  assert.match(ran.stderr, /\.zst: damaged; the plain form is read/);
});

describe('two segments of the same name', () => {
  const [first, second] = [lines(RECORDS.slice(0, 4)), lines(RECORDS.slice(4))];
  const both = (name: string, plain: readonly string[], packed: readonly string[]) => {
    folder.journal(`${name}/${segment(1)}`, plain);
    const text = packed.map((line) => `${line}\n`).join('');
    folder.write(`${name}/${segment(1)}.zst`, zstdCompressSync(text));
    return query(`${folder.path}/${name}`);
  };

  test('are both read if the node was set up again between', async () => {
    const ran = await both('again', second, first);
    assert.deepEqual([ran.code, count(ran)], [0, RECORDS.length], ran.stderr);
    assert.match(ran.stderr, /1\.jsonl: is another segment than \S+\.zst, and both are read/);
  });

  test('are both read if the compressed one is damaged', async () => {
    const packed = zstdCompressSync(`${first.join('\n')}\n`);
    folder.journal(`torn/${segment(1)}`, second);
    folder.write(`torn/${segment(1)}.zst`, Buffer.concat([packed, Buffer.alloc(500, 1)]));
    const ran = await query(`${folder.path}/torn`);
    assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length], ran.stderr);
  });

  test('are one if the plain one is the beginning of the other', async () => {
    assertAnswer(await both('beginning', lines(RECORDS.slice(0, 2)), lines(RECORDS)));
    assertAnswer(await both('empty', [], lines(RECORDS)));
  });

  test('are one if the compressed one is the beginning of the other', async () => {
    const ran = await both('stale', lines(RECORDS), first);
    assert.deepEqual([ran.code, count(ran)], [0, RECORDS.length], ran.stderr);
    assert.match(ran.stderr, /\.zst: only the beginning of the plain form; the plain form is read/);
  });
});

describe('a folder', () => {
  test('that looks like a hive partition changes no value', async () => {
    folder.write('hive/id=42/timestamp=7/resource=x/a.jsonl', JOURNAL);
    const root = `${folder.path}/hive`;
    assertAnswer(await query(root));
    const sql = 'SELECT count(DISTINCT id) AS n, min("timestamp") AS t FROM records';
    const { stdout } = await vcml('query', '--output', 'csv', '--sql', sql, root);
    assert.equal(stdout, `n,t\r\n${RECORDS.length},${RECORDS[0]?.timestamp}\r\n`);
  });

  test('below a linked folder is read, and a circle of links ends', async () => {
    folder.write('real/node/a.jsonl', JOURNAL);
    symlinkSync('../real/node', `${folder.write('links/.keep', '').slice(0, -5)}node`);
    symlinkSync('..', `${folder.path}/real/node/up`);
    assertAnswer(await query(`${folder.path}/links`));
  });

  test('of segments may contain other files with records, and files of the agent', async () => {
    folder.write(`mixed/${segment(1)}`, JOURNAL);
    folder.write('mixed/collected.jsonl', `${text(exec(99, 99, 1, 9))}\n`);
    folder.write('mixed/state.json', '{"id":"x","pid":1}');
    folder.write('mixed/containers.jsonl', '{"id":"c1","pod":"p"}\n');
    folder.write('mixed/dead-letters.jsonl', '{"refusedAt":"x","line":"{\\"id\\":1}"}\n');
    assertAnswer(await query(`${folder.path}/mixed`), RECORDS.length + 1);
  });

  test('of segments has every other file with the form of records read to its end', async () => {
    folder.write(`head/${segment(1)}`, JOURNAL);
    const torn = Array.from({ length: 25 }, () => '{}');
    folder.journal('head/pulled.jsonl', [...torn, text(exec(99, 99, 1, 9))]);
    const ran = await query(`${folder.path}/head`);
    assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length + 1]);
    assert.match(ran.stderr, /pulled\.jsonl: skipped 25 lines that cannot be read/);
  });

  test('may have the files that an agent keeps beside segments, and nothing about them is remarked', async () => {
    folder.write(`whole/${segment(1)}`, JOURNAL);
    for (const name of OWN) folder.write(`whole/${name}`, 'x');
    // The lock is a link to nothing (agent/journal/lock.ts).
    symlinkSync('1 2 boot', `${folder.path}/whole/lock`);
    folder.write('whole/.keep', '');
    assertAnswer(await query(`${folder.path}/whole`));
  });

  test('with files of other names says which are not read, unless they are named as well', async () => {
    folder.write(`names/node-1/${segment(1)}`, JOURNAL);
    folder.write('names/node-2.log', `${text(exec(99, 99, 1, 9))}\n`);
    folder.write(`names/node-1/.${segment(2)}.zst.Ab12`, 'x');
    folder.write('names/node-3.tar.gz', 'x');
    folder.write('names/node-4.jsonl.xz', 'x');
    const root = `${folder.path}/names`;
    const ran = await query(root);
    assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length]);
    assert.match(
      ran.stderr,
      /^vcml: \S+names\/\S+: cannot be read: its name is not .*; neither are .*, 1 more\. Unpack it/m,
    );
    for (const name of ['node-3.tar.gz', 'node-4.jsonl.xz']) rmSync(`${root}/${name}`);
    rmSync(`${root}/node-1/.${segment(2)}.zst.Ab12`);
    assert.match((await query(root)).stderr, /node-2\.log: cannot be read: its name/);
    assertAnswer(await query(root, `${root}/node-2.log`), RECORDS.length + 1);
  });

  test('with a link to nothing says so', async () => {
    folder.write(`gone/node-1/${segment(1)}`, JOURNAL);
    symlinkSync('/nowhere', `${folder.path}/gone/node-2`);
    const ran = await query(`${folder.path}/gone`);
    assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length]);
    assert.match(ran.stderr, /gone\/node-2: cannot be read: ENOENT/);
  });

  test('that cannot be opened is named, and the others are answered', async () => {
    folder.write('open/a/a.jsonl', JOURNAL);
    folder.write('open/b/b.jsonl', JOURNAL);
    chmodSync(folder.path, 0o755);
    chmodSync(`${folder.path}/open/b`, 0o000);
    const ran = await asUser('query', '--output', 'jsonl', `${folder.path}/open`);
    chmodSync(`${folder.path}/open/b`, 0o755);
    assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length], ran.stderr);
    assert.match(ran.stderr, /open\/b: cannot be read: EACCES/);
  });
});

test('an input that does not exist is named beside the answer from the others', async () => {
  const file = folder.write('there.jsonl', JOURNAL);
  const ran = await query(`${folder.path}/nowhere`, file);
  assert.deepEqual([ran.code, count(ran)], [3, RECORDS.length]);
  assert.match(ran.stderr, /nowhere: cannot be read: no such file, or no records in this folder/);
});

/** Runs `bin/vcml` as a user who may not read everything. */
function asUser(...args: string[]): Promise<Ran> {
  const uid = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  return new Promise((resolve) => {
    const child = execFile(VCML_BIN, args, { ...uid, env: {} }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
