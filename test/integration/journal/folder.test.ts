import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { createBed } from '../../support/journal/bed.ts';

test('a folder of another user is refused', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  execFileSync('chown', ['nobody', bed.dir]);
  await assert.rejects(bed.open(), { code: 'JOURNAL_OWNED_BY_OTHER', message: /belongs to uid/ });
});
