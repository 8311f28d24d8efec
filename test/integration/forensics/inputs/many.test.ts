import { equal } from 'node:assert/strict';
import { after, test } from 'node:test';
import { exec, lines } from '../../../check/craft.ts';
import { Folder, vcml } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());

test('thousands of small files are read with the memory that there is', async () => {
  const count = 5000;
  const all = lines(Array.from({ length: count }, (_, n) => exec(10 * n + 10, n + 100, 0, n + 1)));
  for (const [n, line] of all.entries()) folder.journal(`many/${n}.jsonl`, [line]);
  const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', `${folder.path}/many`);
  equal(code, 0, stderr);
  equal(stdout.split('\n').length - 1, count);
});
