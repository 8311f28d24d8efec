import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { program, startAgent } from '../../support/agent.ts';

const SECONDS = '4';
/** Renames one path to the other and back, as fast as possible. */
const RENAMER = `
  const { renameSync } = require('node:fs');
  const [, one, other] = process.argv;
  process.stdout.write('begun');
  for (;;) { renameSync(one, other); renameSync(other, one); }`;

test('a working directory that is renamed repeatedly has one of its names', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const dir = join(realpathSync(agent.directory), 'files');
  // One name is short enough to be kept within the dentry, and one is not.
  const [one, other] = [join(dir, 'A', 'L'.repeat(200)), join(dir, 'B', 's')];
  for (const path of [one, join(dir, 'B')]) mkdirSync(path, { recursive: true });
  // It stays in the directory, whatever its name is.
  const storm = promisify(execFile)(program('storm'), ['1', SECONDS, program('noop'), 'renamed'], {
    cwd: one,
  });
  const renamer = spawn(process.execPath, ['-e', RENAMER, one, other]);
  t.after(() => renamer.kill('SIGKILL'));
  await once(renamer.stdout, 'data');
  const count = Number((await storm).stdout.trim());
  renamer.kill('SIGKILL');
  const found = await agent.journal.waitFor('the storm', () => {
    const records = agent.journal.withMarker('renamed');
    return records.length >= count ? records : undefined;
  });
  const names = new Map<unknown, number>();
  for (const { attributes } of found) {
    const name = attributes['process.working_directory'];
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  assert.deepEqual(new Set(names.keys()), new Set([one, other]));
});
