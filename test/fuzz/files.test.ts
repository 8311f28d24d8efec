import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readContinuity } from '../../agent/run/resume/resume.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fuzz } from './fuzz.ts';
import { JOURNAL, onlySkipsLines, STATE } from './guided/journal-targets.ts';
import { stateTargets } from './guided/state-targets.ts';

const dir = temporaryFolder();

for (const { name, property, seeds, check } of stateTargets(dir))
  test(`${name}, damaged at random: ${property}`, () =>
    fuzz((random) => check(random.damaged(Buffer.from(random.pick(seeds))))));

test('a damaged state.json and a damaged journal give numbers to continue with, or none', () => {
  const [state, lines] = [Buffer.from(STATE), Buffer.from(JOURNAL)];
  const live = { hookId: '5', readSeq: [] };
  return fuzz(async (random) => {
    writeFileSync(join(dir, segmentName(1)), random.damaged(lines));
    writeFileSync(join(dir, 'state.json'), random.below(2) === 0 ? state : random.damaged(state));
    const { nextSeq, kernelMisses } = await readContinuity(dir, live, onlySkipsLines);
    for (const number of nextSeq) assert.ok(number === undefined || number >= 0, `${number}`);
    assert.ok(kernelMisses >= 0);
  });
});
