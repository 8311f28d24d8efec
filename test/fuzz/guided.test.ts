import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { guide } from './guided/guide.ts';
import { createTargets as createPlanted } from './guided/planted.ts';
import type { Target } from './guided/target.ts';
import { createTargets } from './guided/targets.ts';
import { watch } from './guided/watch.ts';

const SEED = 7;
const PLANTED_ROUNDS = 60_000;
const ROUNDS = 64;

const dir = temporaryFolder();

test('guided inputs find a bug that as many unguided inputs do not find', async () => {
  const [planted] = createPlanted() as [Target, Target];
  const run = { seed: SEED, goesOn: (rounds: number) => rounds < PLANTED_ROUNDS };
  const { failure } = await guide(planted, run);
  assert.match(failure?.input.toString('latin1') ?? 'none', /^vcm/);
  const unguided = await guide(planted, { ...run, guided: false });
  assert.equal(unguided.failure, undefined);
});

test('an input that hangs is found and kept', async () => {
  const { why, failing } = await watch({
    targets: import.meta.resolve('./guided/planted.ts'),
    name: 'hangs',
    dir,
    folder: join(dir, 'kept'),
    seconds: 3600,
    seed: SEED,
    patienceMs: 3000,
  });
  assert.match(why ?? '', /hangs/);
  assert.ok(readFileSync(failing ?? '').length > 8);
});

for (const target of createTargets(dir))
  test(`${target.name}: ${target.property}`, async () => {
    const { failure } = await guide(target, { seed: SEED, goesOn: (rounds) => rounds < ROUNDS });
    if (failure === undefined) return;
    throw new Error(`for ${failure.input.toString('latin1')}`, { cause: failure.error });
  });
