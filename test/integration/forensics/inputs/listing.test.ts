import { equal } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { listSegments, listSegmentsSync, segmentFile } from '../../../../agent/journal/segment.ts';
import { findFiles } from '../../../../forensics/inputs/find.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const COUNT = 2000;

test('no list of a folder lacks a segment that gets its other name meanwhile', async (t) => {
  const dir = `${temporaryFolder(t)}/journal`;
  mkdirSync(dir);
  for (let number = 1; number <= COUNT; number += 1)
    writeFileSync(segmentFile(dir, { number, compressed: false }), '');
  const worker = new Worker(new URL('../../../support/journal/renames.ts', import.meta.url), {
    workerData: { dir, count: COUNT },
  });
  let isOver = false;
  worker.once('exit', () => {
    isOver = true;
  });
  while (!isOver) {
    equal((await listSegments(dir)).length, COUNT);
    equal(listSegmentsSync(dir).length, COUNT);
    const { found, problems } = findFiles([dir]);
    equal(new Set(found.map(({ path }) => /\d{20}/.exec(path)?.[0])).size, COUNT);
    equal(problems.length, 0);
  }
});
