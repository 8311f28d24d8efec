import { equal } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ended } from '../../support/journal/bed.ts';
import { createFaults } from '../../support/journal/faults.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

/** Keeps a letter on a disk that cannot sync. */
function keep(t: TestContext, mayBeUnsynced: boolean) {
  const root = temporaryFolder(t);
  const dir = join(root, 'journal');
  mkdirSync(dir);
  const faults = createFaults(root, dir);
  faults.now('sync EIO');
  const file = join(import.meta.dirname, 'keep-dead-letter.ts');
  const child = spawn(process.execPath, [file, dir, `${mayBeUnsynced}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...faults.env },
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  const letters = () =>
    readFileSync(join(dir, 'dead-letters.jsonl'), 'utf8').split('\n').slice(0, -1).length;
  return { faults, child, letters, said: () => said };
}

test('a dead letter that the disk does not sync is refused, and is in the file once after further attempts', async (t) => {
  const { faults, child, letters, said } = keep(t, false);
  await until('failed attempts', () => said().split('EIO').length > 4);
  faults.now(undefined);
  await ended(child);
  equal(letters(), 1);
});

test('with the policy never, a disk that cannot sync holds up no dead letter', async (t) => {
  const { child, letters, said } = keep(t, true);
  await ended(child);
  equal(letters(), 1);
  equal(said(), '');
});
