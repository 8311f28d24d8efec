import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, program, startAgent } from '../agent.ts';
import { judge } from '../check/check.ts';

const ROUNDS = 10;

test('kill -9 in the middle of an exec storm, again and again, loses and doubles nothing', async (t) => {
  const agent = await startAgent({ args: ['--segment-max-bytes', '4MiB'] });
  t.after(() => agent.close());
  const storm = startStorm(agent, ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(100 + Math.random() * 600);
    await agent.kill();
    if (round % 2 === 0) await sleep(Math.random() * 200);
    // Without it the next run reads the journal back to the beginning of the hook.
    if (round % 3 === 0) rmSync(join(agent.journalDir, 'state.json'), { force: true });
    await agent.start();
  }
  const execs = await storm.end();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('SIGTERM in the middle of an exec storm, again and again, loses and doubles nothing', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const storm = startStorm(agent, 4);
  for (let round = 0; round < 4; round++) {
    await sleep(100 + Math.random() * 400);
    assert.equal(await agent.stop(), 0, agent.stderr);
    await agent.start();
  }
  const execs = await storm.end();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('a reader that is stopped for longer than the ring lasts loses just what it says', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  process.kill(agent.pid, 'SIGSTOP');
  const execs = await overfill(agent);
  process.kill(agent.pid, 'SIGCONT');
  assert.ok((await allRecorded(agent, execs)) > 0, 'the ring held them all');
});

test('what no longer fits while no agent runs is lost by number', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  await agent.kill();
  const execs = await overfill(agent);
  await agent.start();
  assert.ok((await allRecorded(agent, execs)) > 0, 'the ring held them all');
});

/** More execs than a ring of 1 MiB holds, however slow the machine is; tells how many. */
async function overfill(agent: Agent): Promise<number> {
  let execs = 0;
  while (execs < 10_000) execs += await startStorm(agent, 1).end();
  return execs;
}

/** Two loops of spawning a no-op of their own; end() waits and tells how many there were. */
function startStorm(agent: Agent, seconds: number): { end(): Promise<number> } {
  const noop = noopOf(agent);
  copyFileSync(program('noop'), noop);
  const args = ['2', String(seconds), noop, 'storm'];
  const child = spawn(program('storm'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const closed = once(child, 'close');
  return {
    async end() {
      await closed;
      return Number(output);
    },
  };
}

/** Its path tells a storm's execs from all others on the machine. */
function noopOf({ directory }: Agent): string {
  return join(directory, 'noop');
}

/** Ends the agent and compares its journal with the storm; returns how many records were lost. */
async function allRecorded(agent: Agent, execs: number): Promise<number> {
  assert.equal(await agent.stop(), 0, agent.stderr);
  const { findings } = judge(agent.journal.read() && agent.journal.lines);
  assert.deepEqual(findings, []);
  const lost = agent
    .records()
    .filter(({ action }) => action === 'journal.loss')
    .reduce((sum, { attributes }) => sum + Number(attributes['vcml.loss.count']), 0);
  // Not by its arguments: they are the first to go when the ring is crowded.
  const noop = noopOf(agent);
  const recorded = agent.records().filter(({ object }) => object === noop);
  // What is lost may have been others' as well: the storm's own beginning, the machine's life.
  const missing = execs - recorded.length;
  assert.ok(missing >= 0 && missing <= lost, `${missing} are missing, ${lost} told as lost`);
  return lost;
}
