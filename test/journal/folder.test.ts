import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readState, writeState } from '../../agent/journal/state.ts';
import { BOOT_ID, runningBootId } from '../support/ids.ts';
import { append, createBed, linesOf, numbered, RESERVE } from '../support/journal/bed.ts';
import { segmentName } from '../support/journal/segment-name.ts';

const FIRST = segmentName(1);

test('the folder is 0700 and its files are 0600, whatever the umask', async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const bed = createBed(t);
  const dir = join(bed.dir, 'deeper');
  const journal = await bed.open({ dir, segmentMaxBytes: 10 });
  for (const line of numbered(0, 5)) await append(journal, line);
  await writeState(dir, '{}');
  assert.equal(statSync(dir).mode & 0o7777, 0o700);
  while (!readdirSync(dir).some((name) => name.endsWith('.zst')))
    await new Promise((resolve) => setTimeout(resolve, 10));
  await journal.close();
  const names = readdirSync(dir);
  assert.ok(names.includes('state.json') && names.length > 3, names.join());
  for (const name of names) assert.equal(statSync(join(dir, name)).mode & 0o7777, 0o600, name);
});

test('a symbolic link in place of the folder is refused, even with a trailing slash', async (t) => {
  const bed = createBed(t);
  mkdirSync(join(bed.root, 'elsewhere'), { mode: 0o700 });
  symlinkSync('elsewhere', bed.dir);
  for (const dir of [bed.dir, `${bed.dir}/`, `${bed.dir}/.`])
    await assert.rejects(bed.open({ dir }), { code: 'JOURNAL_IS_LINK', message: /symbolic link/ });
  assert.deepEqual(readdirSync(join(bed.root, 'elsewhere')), []);
});

test('a file in place of the folder, and a folder that others may write to, are refused', async (t) => {
  const bed = createBed(t);
  writeFileSync(bed.dir, '');
  await assert.rejects(bed.open(), { code: 'JOURNAL_NOT_A_FOLDER' });
  rmSync(bed.dir);
  mkdirSync(bed.dir);
  for (const mode of [0o720, 0o702, 0o1777]) {
    chmodSync(bed.dir, mode);
    await assert.rejects(bed.open(), { code: 'JOURNAL_WRITABLE_BY_OTHERS', message: /chmod 0700/ });
  }
});

test('a symbolic link in place of a segment is refused, and its target stays unchanged', async (t) => {
  const bed = createBed(t);
  const target = join(bed.root, 'target');
  writeFileSync(target, 'a line\nand no line feed behind this');
  mkdirSync(bed.dir, { mode: 0o700 });
  symlinkSync(target, join(bed.dir, FIRST));
  await assert.rejects(bed.open(), { code: 'SEGMENT_IS_LINK', message: /symbolic link/ });
  assert.equal(readFileSync(target, 'utf8'), 'a line\nand no line feed behind this');
});

test('a hard link, a folder or a pipe in place of a segment is refused', async (t) => {
  const bed = createBed(t);
  const target = join(bed.root, 'target');
  const segment = join(bed.dir, FIRST);
  writeFileSync(target, 'no line feed');
  mkdirSync(bed.dir, { mode: 0o700 });
  const put = [
    () => linkSync(target, segment),
    () => mkdirSync(segment),
    () => execFileSync('mkfifo', [segment]),
  ];
  for (const place of put) {
    place();
    await assert.rejects(bed.open(), { code: 'SEGMENT_NOT_PLAIN', message: /plain file/ });
    rmSync(segment, { recursive: true });
  }
  assert.equal(readFileSync(target, 'utf8'), 'no line feed');
});

test('a symbolic link in place of the next segment ends the writing, and is not followed', async (t) => {
  const bed = createBed(t);
  const target = join(bed.root, 'target');
  writeFileSync(target, 'kept');
  const journal = await bed.open({ segmentMaxBytes: 5 });
  await append(journal, 'one line');
  symlinkSync(target, join(bed.dir, '00000000000000000002.jsonl'));
  await assert.rejects(append(journal, 'two'), { code: 'SEGMENT_IS_LINK' });
  await journal.close();
  assert.equal(readFileSync(target, 'utf8'), 'kept');
});

test('state.json is replaced as a whole, and a link in its place is neither read nor followed', async (t) => {
  const bed = createBed(t);
  const target = join(bed.root, 'target');
  writeFileSync(target, '{"secret":1}');
  mkdirSync(bed.dir);
  for (const name of ['state.json', 'state.json.tmp']) symlinkSync(target, join(bed.dir, name));
  assert.equal(readState(bed.dir).state, undefined);
  await writeState(bed.dir, '{"mine":2}');
  assert.deepEqual(readState(bed.dir).state, { mine: 2 });
  assert.equal(readFileSync(target, 'utf8'), '{"secret":1}');
  assert.deepEqual(readdirSync(bed.dir), ['state.json']);
});

test('reading a damaged or missing state.json returns the reason', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir);
  assert.match(readState(bed.dir).why ?? '', /ENOENT/);
  for (const text of ['', '{', '{"a":1}}', '\0\0\0']) {
    writeFileSync(join(bed.dir, 'state.json'), text);
    assert.equal(readState(bed.dir).state, undefined);
    assert.match(readState(bed.dir).why ?? '', /JSON/);
  }
});

test('a second writer is refused until the first one has closed', async (t) => {
  const bed = createBed(t);
  const first = await bed.open();
  await append(first, 'one');
  const busy = { code: 'JOURNAL_BUSY', message: new RegExp(`process ${process.pid}`) };
  await assert.rejects(bed.open(), busy);
  await append(first, 'two');
  await first.close();
  const second = await bed.open();
  await append(second, 'three');
  await second.close();
  assert.deepEqual(linesOf(bed.dir), ['one', 'two', 'three']);
});

const startOfInit = () => readFileSync('/proc/1/stat', 'latin1').split(') ')[1]?.split(' ')[19];

const STALE: readonly [what: string, lock: () => string][] = [
  ['of a process that has ended', () => `4194305 77 ${runningBootId()}`],
  ['of a process whose pid was reused', () => `1 1${startOfInit()} ${runningBootId()}`],
  ['of an earlier boot', () => `1 ${startOfInit()} ${BOOT_ID}`],
  ['that is noise', () => '\xff one two three four'],
  ['that names no process', () => runningBootId()],
];

for (const [what, lock] of STALE)
  test(`a lock ${what} is taken over`, async (t) => {
    const bed = createBed(t);
    mkdirSync(bed.dir, { mode: 0o700 });
    symlinkSync(lock(), join(bed.dir, 'lock'));
    const journal = await bed.open();
    await append(journal, 'one');
    await journal.close();
    assert.deepEqual(readdirSync(bed.dir).sort(), [FIRST, RESERVE]);
  });

test('a plain file in the place of the lock is no lock', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  writeFileSync(join(bed.dir, 'lock'), '');
  await (await bed.open()).close();
  assert.deepEqual(readdirSync(bed.dir), [RESERVE]);
});

test('a writer that has lost its lock does not remove the next one’s', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open();
  rmSync(join(bed.dir, 'lock'));
  symlinkSync(`1 ${startOfInit()} ${runningBootId()}`, join(bed.dir, 'lock'));
  await journal.close();
  assert.deepEqual(readdirSync(bed.dir).sort(), [RESERVE, 'lock']);
});

test('the lock of a living process is respected', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  symlinkSync(`1 ${startOfInit()} ${runningBootId()}`, join(bed.dir, 'lock'));
  await assert.rejects(bed.open(), { code: 'JOURNAL_BUSY', message: /process 1;/ });
  assert.deepEqual(readdirSync(bed.dir), ['lock']);
});
