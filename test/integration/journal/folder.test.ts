import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeState } from '../../../agent/journal/state.ts';
import { createBed } from '../../support/journal/bed.ts';

test('a folder of another user is refused', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  execFileSync('chown', ['nobody', bed.dir]);
  await assert.rejects(bed.open(), { code: 'JOURNAL_OWNED_BY_OTHER', message: /belongs to uid/ });
});

test('a checkpoint that the disk does not remove ends the start with an error of the registry', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const file = join(bed.dir, 'state.json');
  writeFileSync(file, '{}');
  execFileSync('mount', ['--bind', file, file]);
  try {
    assert.throws(() => removeState(bed.dir, 'state.json'), {
      code: 'JOURNAL_UNUSABLE',
      message: /resource busy/,
    });
  } finally {
    execFileSync('umount', [file]);
  }
});
