/** A thread that gives the segments of a folder their other name, one after the other. */

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { type Segment, segmentFile } from '../../../agent/journal/segment.ts';

const { dir, count }: { readonly dir: string; readonly count: number } = workerData;
const file = (number: number, compressed: boolean) =>
  segmentFile(dir, { number, compressed } satisfies Segment);

for (let number = 1; number <= count; number += 1) {
  const to = file(number, true);
  writeFileSync(`${to}.new`, '');
  renameSync(`${to}.new`, to);
  rmSync(file(number, false));
  await pause(1);
}
