import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { timeAt } from '../../agent/journal/measure.ts';
import { boundedCall } from '../../agent/run/bounded-call.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a disk that does not give a segment back delays no caller for ever, and is asked once', async (t) => {
  const dir = join(temporaryFolder(t), 'journal');
  mkdirSync(dir);
  const fifo = join(dir, segmentName(1));
  execFileSync('mkfifo', [fifo]);
  let calls = 0;
  const oldest = boundedCall(() => {
    calls += 1;
    return timeAt(dir).then((at) => at ?? 'none');
  }, 20);
  // An open of a FIFO waits for its writer.
  for (let n = 0; n < 3; n++) assert.equal(await oldest(), undefined);
  assert.equal(calls, 1);
  closeSync(openSync(fifo, 'r+'));
});

test('a call that ends in time is not shared with later callers, and its error is theirs', async () => {
  let calls = 0;
  const count = boundedCall(async () => {
    calls += 1;
    if (calls === 2) throw new Error('broken');
    return calls;
  }, 60_000);
  assert.equal(await count(), 1);
  await assert.rejects(count(), /broken/);
  assert.equal(await count(), 3);
});
