import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { program, startAgent } from '../../support/agent.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { allRecorded, startStorm } from '../continuity/storm.ts';

const PIDS = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((dir) =>
  existsSync(join(dir, 'cgroup.procs')),
);
const BOMB = 'b() { b | b & }; b; while :; do sleep 1; done';
const ARGUMENT_BYTES = '131000';

test('a storm of 128 KiB arguments takes no record from other processes', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const cgroup = createCgroup(t, 64);
  for (let n = 0; n < 2; n++) cgroup.start(program('load'), 'storm', '1000000', ARGUMENT_BYTES);
  await sleep(300);
  const execs = await startStorm(agent, 3).end();
  await cgroup.end();
  assert.equal(await allRecorded(agent, execs), 0);
});

test('a fork bomb takes no record from other processes', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const cgroup = createCgroup(t, 300);
  cgroup.start('sh', '-c', BOMB);
  await sleep(300);
  const execs = await startStorm(agent, 2).end();
  await cgroup.end();
  assert.equal(await allRecorded(agent, execs), 0);
  assert.equal(agent.records().filter(isUntracked).length, 0);
});

/** Some kernels report no fork for processes that init itself starts. */
function isUntracked({ actor, attributes }: JournalLine): boolean {
  return attributes['vcml.gap.reason'] === 'untracked' && actor.ppid !== 1;
}

/** A cgroup like a pod's, with a limit of processes; its end ends all of them. */
function createCgroup(t: TestContext, processes: number) {
  assert.ok(PIDS);
  const dir = join(PIDS, `vcml-flood-${process.pid}-${processes}`);
  mkdirSync(dir);
  writeFileSync(join(dir, 'pids.max'), `${processes}`);
  const procs = join(dir, 'cgroup.procs');
  const started: ChildProcess[] = [];
  const members = () => readFileSync(procs, 'utf8').split('\n').filter(Boolean).map(Number);
  const end = async () => {
    if (!existsSync(dir)) return;
    writeFileSync(join(dir, 'pids.max'), '0'); // no further processes
    for (let left = members(); left.length > 0; left = members()) {
      for (const pid of left) kill(pid);
      await sleep(20);
    }
    for (const child of started)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmdirSync(dir);
  };
  t.after(end);
  return {
    end,
    start: (command: string, ...args: readonly string[]) => {
      const enter = `echo $$ > ${procs}; exec "$0" "$@"`;
      started.push(spawn('sh', ['-c', enter, command, ...args], { stdio: 'ignore' }));
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
