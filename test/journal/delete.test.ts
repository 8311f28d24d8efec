import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deleteJournal } from '../../agent/journal/delete.ts';
import { lockJournal } from '../../agent/journal/lock.ts';

const OURS = [
  '00000000000000000001.jsonl.zst',
  '00000000000000000001.index',
  '00000000000000000002.index.tmp',
  '00000000000000000002.jsonl.zst.tmp',
  '00000000000000000002.jsonl',
  'deletions.json',
  'deletions.json.reserve',
  'state.json',
  'state.json.tmp',
];
const OTHERS = ['cursor.json'];

/** Makes a journal’s folder with every kind of file that it can hold. */
async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'vcml-delete-'));
  const dir = join(parent, 'journal');
  mkdirSync(dir);
  for (const name of [...OURS, ...OTHERS]) writeFileSync(join(dir, name), '');
  try {
    await body(dir);
  } finally {
    rmSync(parent, { recursive: true });
  }
}

test('a deleted journal leaves nothing, not even its folder', async () => {
  await withFolder(async (dir) => {
    assert.deepEqual(await deleteJournal(dir, OTHERS), []);
    assert.deepEqual(readdirSync(join(dir, '..')), []);
  });
});

test('files of other names and files that are not plain remain, and so does the folder', async () => {
  await withFolder(async (dir) => {
    const foreign = ['1.jsonl', '00000000000000000001.jsonl.bak', 'x00000000000000000001.jsonl'];
    for (const name of foreign) writeFileSync(join(dir, name), '');
    mkdirSync(join(dir, '00000000000000000007.jsonl'));
    symlinkSync(join(dir, '1.jsonl'), join(dir, '00000000000000000008.jsonl'));
    const left = [...foreign, '00000000000000000007.jsonl', '00000000000000000008.jsonl'].sort();
    assert.deepEqual((await deleteJournal(dir, OTHERS)).sort(), left);
    assert.deepEqual(readdirSync(dir).sort(), left);
  });
});

test('a journal that is being written, or a link to one, is not deleted', async () => {
  await withFolder(async (dir) => {
    const unlock = await lockJournal(dir);
    await assert.rejects(deleteJournal(dir, OTHERS), { code: 'JOURNAL_BUSY' });
    unlock();
    const link = join(dir, '../link');
    symlinkSync(dir, link);
    await assert.rejects(deleteJournal(link, OTHERS), { code: 'JOURNAL_REPLACED' });
    assert.deepEqual(readdirSync(dir).sort(), [...OURS, ...OTHERS].sort());
  });
});
