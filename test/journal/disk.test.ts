import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Agent, program, startAgent } from '../agent.ts';
import { createBed } from './bed.ts';

/** Room for what all the others on this machine execute meanwhile. */
const SIZE = '200m';

test('a full disk ends nothing and loses nothing: when there is room, all is written', async (t) => {
  const bed = createBed(t);
  bed.mount(SIZE);
  const filler = join(bed.dir, 'filler');
  const agent = await startAgent({ journalDir: bed.dir });
  t.after(() => agent.close());
  const exec = (marker: string) => execFileSync(program('noop'), [marker]);
  exec('before');
  await agent.journal.marked('before');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
  const markers = Array.from({ length: 300 }, (_, n) => `full-${n}`);
  for (const marker of markers) exec(marker);
  await pause(3000); // longer than state.json's interval
  exec('still full');
  await pause(500);
  assert.equal(agent.stderr.match(/the journal cannot be written/g)?.length, 1);
  rmSync(filler);
  exec('after');
  await agent.journal.marked('after');
  const seen = agent
    .records()
    .map(({ attributes }) => String((attributes['process.command_args'] as string[])?.[1]))
    .filter((marker) => markers.includes(marker));
  assert.deepEqual(seen, markers);
  assert.ok(!agent.records().some(({ action }) => action === 'journal.loss'));
  assert.equal(await agent.stop(), 0);
});

test('an agent starts on a full disk, and writes when there is room', async (t) => {
  const bed = createBed(t);
  bed.mount(SIZE);
  const filler = join(bed.dir, 'filler');
  const agent = await startAgent({ journalDir: bed.dir });
  t.after(() => agent.close());
  await agent.kill();
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
  const started = agent.start();
  await pause(1500);
  rmSync(filler);
  await started;
  assert.equal(await agent.stop(), 0);
});

test('an agent whose journal somebody removes says so and ends with 73; the next goes on', async (t) => {
  const agent: Agent = await startAgent();
  t.after(() => agent.close());
  rmSync(agent.journalDir, { recursive: true });
  for (let wait = 0; wait < 100 && !agent.stderr.includes('cannot be used'); wait++) {
    execFileSync(program('noop'), ['lost']);
    await pause(50);
  }
  assert.match(agent.stderr, /the journal .* cannot be used/);
  assert.equal(await agent.stop(), 73);
});
