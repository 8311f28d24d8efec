import { deepEqual, equal } from 'node:assert/strict';
import { after, test } from 'node:test';
import { exec, execId, start, text } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());

test('links in a circle hide no record from a tree', async () => {
  const lines = [
    start([1]),
    exec(10, 100, 0, 1, { parent: execId(20, 101) }),
    exec(20, 101, 0, 2, { parent: execId(10, 100) }),
    exec(30, 102, 0, 3, { parent: execId(20, 101) }),
    exec(40, 103, 0, 4, { parent: execId(40, 103) }),
    exec(50, 104, 0, 5),
    exec(60, 105, 0, 6, { parent: execId(50, 104) }),
  ].map(text);
  const journal = folder.journal(`j/${segment(1)}`, lines);
  const { code, stdout } = await vcml('tree', '--output', 'jsonl', journal);
  equal(code, 0);
  const pids = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).actor.pid as number);
  deepEqual(pids, [100, 101, 102, 103, 104, 105]);
});
