import { equal } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { timeAt } from '../../agent/journal/measure.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

for (const [timestamp, seconds] of [
  ['1795403355999999999', 1795403355],
  ['12345678901', 12],
  ['5', 0],
] as const)
  test(`the time of a record is read in seconds: ${timestamp}`, async (t) => {
    const dir = temporaryFolder(t);
    writeFileSync(join(dir, segmentName(1)), `{"id":"a","timestamp":${timestamp},"actor":{}}\n`);
    equal(await timeAt(dir), seconds);
  });
