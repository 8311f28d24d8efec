import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readPlainFile, replaceFile } from '../agent/files.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** A folder of a test's own. */
function folderOf(t: TestContext): string {
  const dir = temporaryFolder(t);
  return dir;
}

for (const durable of [true, false]) {
  const how = durable ? 'durable' : 'not durable';

  test(`${how}: a file is replaced as a whole, and only its owner may read it`, async (t) => {
    const dir = folderOf(t);
    const file = join(dir, 'file');
    writeFileSync(file, 'a text that is longer', { mode: 0o644 });
    writeFileSync(`${file}.tmp`, 'left by a crash');
    await replaceFile(file, 'new', { durable });
    assert.equal(readFileSync(file, 'utf8'), 'new');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir), ['file']);
  });

  test(`${how}: a link in place of either file is not followed`, async (t) => {
    const dir = folderOf(t);
    const target = join(dir, 'target');
    writeFileSync(target, 'kept');
    for (const link of ['file', 'file.tmp']) symlinkSync(target, join(dir, link));
    await replaceFile(join(dir, 'file'), 'new', { durable });
    assert.equal(readFileSync(target, 'utf8'), 'kept');
    assert.equal(readFileSync(join(dir, 'file'), 'utf8'), 'new');
  });

  test(`${how}: a failure leaves the old text and no other file`, async (t) => {
    const dir = folderOf(t);
    mkdirSync(join(dir, 'file', 'inside'), { recursive: true });
    await assert.rejects(async () => replaceFile(join(dir, 'file'), 'new', { durable }));
    assert.deepEqual(readdirSync(dir), ['file']);
  });
}

test('a plain file is read, and nothing else', (t) => {
  const dir = folderOf(t);
  const file = join(dir, 'file');
  writeFileSync(file, 'text');
  assert.equal(readPlainFile(file), 'text');
  symlinkSync(file, join(dir, 'link'));
  assert.throws(() => readPlainFile(join(dir, 'link')), { code: 'ELOOP' });
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  assert.throws(() => readPlainFile(join(dir, 'fifo')), { message: 'fifo is not a plain file' });
  assert.throws(() => readPlainFile(dir), /is not a plain file/);
  assert.throws(() => readPlainFile(join(dir, 'none')), { code: 'ENOENT' });
});
