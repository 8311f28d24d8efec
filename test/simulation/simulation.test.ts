import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** Always the same ones, so that a change is judged by itself; `make simulation` tries others. */
const SEED = 1;
const SEEDS = 12;

test('machines whose disk, clocks, collector and agents fail at any moment have sound journals', () => {
  const env = { ...process.env, SEED: `${SEED}`, SEEDS: `${SEEDS}` };
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { env, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('a promise of the agent that is rejected, and that nobody awaits, is a finding', () => {
  const SIMULATION_MUTANT = 'nobody awaits a checkpoint that cannot be written';
  // The first one finds it. After a change of the agent it may be another one.
  const env = { ...process.env, SEED: '79', SEEDS: '100', SIMULATION_MUTANT };
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout } = spawnSync(process.execPath, [main], { env, encoding: 'utf8' });
  assert.match(stdout, /^seed \d+: nobody awaits what fails: Error: /m);
  assert.equal(status, 1);
});

test('a seed always shows the same', () => {
  const env = { ...process.env, SEED: '7', SEEDS: '1' };
  const main = join(import.meta.dirname, 'main.ts');
  const show = () => spawnSync(process.execPath, [main], { env, encoding: 'utf8' }).stdout;
  const first = show();
  assert.match(first, /^seed 7: \d+ steps, \d+ lines, [0-9a-f]{16}\n/);
  assert.equal(show(), first);
});
