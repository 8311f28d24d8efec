import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../../support/agent.ts';
import { until } from '../../support/until.ts';
import { allRecorded, startStorm } from '../continuity/storm.ts';

const FULL = /"level":"error".*cannot write to .* on tmpfs .*ENOSPC/g;

test('on a full disk the ring keeps new events until there is space', async (t) => {
  const agent = await onSmallDisk(t, '2m', []);
  const execs = await startStorm(agent, 2).end();
  await until('the error', () => said(agent, FULL) > 0, { timeoutMs: 20_000 });
  await sleep(2500); // a retry or two
  assert.equal(said(agent, FULL), 1, agent.stderr);
  assert.ok(usedBytes(agent) <= 2 << 20);
  resize(agent, '512m');
  assert.equal(await allRecorded(agent, execs), 0);
});

test('events that do not fit the ring during a full disk are lost by number', async (t) => {
  const agent = await onSmallDisk(t, '2m', ['--ring-size', '1MiB']);
  let execs = 0;
  while (execs < 20_000) execs += await startStorm(agent, 1).end();
  await until('the error', () => said(agent, FULL) > 0, { timeoutMs: 20_000 });
  resize(agent, '512m');
  assert.ok((await allRecorded(agent, execs)) > 0, 'it kept them all');
});

test('an agent that ends on a full disk leaves unwritten events to the next one', async (t) => {
  const agent = await onSmallDisk(t, '2m', []);
  const filler = join(agent.journalDir, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
  const execs = await startStorm(agent, 1).end();
  assert.equal(await agent.stop(), 0, agent.stderr);
  rmSync(filler);
  resize(agent, '512m');
  await agent.start();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('the journal never exceeds its cap, and records what was deleted', async (t) => {
  const cap = 256 << 10;
  const sizes = ['--journal-max-bytes', '256KiB', '--segment-max-bytes', '64KiB'];
  const agent = await onSmallDisk(t, '64m', sizes);
  let execs = 0;
  let most = 0;
  while (execs < 15_000) {
    const storm = startStorm(agent, 1);
    const watch = setInterval(() => {
      most = Math.max(most, usedBytes(agent));
    }, 5);
    execs += await storm.end();
    clearInterval(watch);
  }
  assert.equal(await agent.stop(), 0, agent.stderr);
  // Beyond the cap there may be a batch (at most 2 MiB) that closes a segment, and the one after
  // it.
  assert.ok(most <= cap + 2 * (2 << 20), `${most} bytes`);
  const stages = agent.records().map(({ attributes }) => attributes['vcml.loss.stage']);
  assert.ok(stages.includes('retention'));
});

/** An agent whose journal is a tmpfs of this size. */
async function onSmallDisk(t: TestContext, size: string, args: readonly string[]): Promise<Agent> {
  const agent = new Agent({ args });
  mkdirSync(agent.journalDir);
  const options = `size=${size},mode=0700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', agent.journalDir]);
  t.after(async () => {
    await agent.stop('SIGKILL');
    execFileSync('umount', ['--lazy', agent.journalDir]);
    await agent.close();
  });
  await agent.start();
  return agent;
}

function resize(agent: Agent, size: string): void {
  execFileSync('mount', ['-o', `remount,size=${size}`, agent.journalDir]);
}

function usedBytes({ journalDir }: Agent): number {
  const bytes = (name: string) =>
    statSync(join(journalDir, name), { throwIfNoEntry: false })?.size ?? 0;
  return readdirSync(journalDir).reduce((sum, name) => sum + bytes(name), 0);
}

function said(agent: Agent, what: RegExp): number {
  return agent.stderr.match(what)?.length ?? 0;
}
