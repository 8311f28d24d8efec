import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, startAgent } from '../../support/agent.ts';
import { allRecorded, startStorm } from './storm.ts';

const ROUNDS = 10;

test('repeated kill -9 in an exec storm loses and duplicates nothing', async (t) => {
  const agent = await startAgent({ args: ['--segment-max-bytes', '4MiB'] });
  t.after(() => agent.close());
  const storm = startStorm(agent, ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(100 + Math.random() * 600);
    await agent.kill();
    if (round % 2 === 0) await sleep(Math.random() * 200);
    // Without it the next run reads the journal back to the beginning of the hook.
    if (round % 3 === 0) rmSync(join(agent.journalDir, 'state.json'), { force: true });
    if (round % 6 === 0) rmSync(join(agent.journalDir, 'checkpoint.json'), { force: true });
    await agent.start();
  }
  const execs = await storm.end();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('kill -9 at a hundred random moments, also during the start, loses and duplicates nothing', async (t) => {
  const agent = await startAgent({ args: ['--segment-max-bytes', '4MiB'] });
  t.after(() => agent.close());
  let execs = 0;
  for (let round = 0; round < 100; round++) {
    const storm = startStorm(agent, 0.2);
    await sleep(Math.random() * 400);
    await agent.kill();
    const next = agent.start().catch((error: Error) => assert.match(error.message, /SIGKILL/));
    execs += await storm.end();
    // Every other agent records something before it is killed.
    if (round % 2 === 0) await next;
  }
  await agent.kill();
  await agent.start();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('repeated SIGTERM in an exec storm loses and duplicates nothing', async (t) => {
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

test('a reader that is stopped for longer than the ring lasts loses exactly what it records', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  process.kill(agent.pid, 'SIGSTOP');
  const execs = await overfill(agent);
  process.kill(agent.pid, 'SIGCONT');
  assert.ok((await allRecorded(agent, execs)) > 0, 'the ring held them all');
});

test('events that no longer fit while no agent is running are lost by number', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  await agent.kill();
  const execs = await overfill(agent);
  await agent.start();
  assert.ok((await allRecorded(agent, execs)) > 0, 'the ring held them all');
});

/**
 * Makes more execs than a ring of 1 MiB holds, however slow the machine is; returns their number.
 */
async function overfill(agent: Agent): Promise<number> {
  let execs = 0;
  while (execs < 10_000) execs += await startStorm(agent, 1).end();
  return execs;
}
