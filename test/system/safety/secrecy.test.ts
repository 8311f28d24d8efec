import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent, runProgram } from '../../support/agent.ts';

/** Starts an agent in its own folder, where the kernel may write a core of any size. */
async function startAgent(t: TestContext, ...args: readonly string[]) {
  const agent = new Agent({ args });
  t.after(() => agent.close());
  const folder = join(agent.directory, 'crashes');
  mkdirSync(folder);
  const wrapper = join(agent.directory, 'crashing');
  const words = `ulimit -c unlimited; cd '${folder}'; exec ${RESTRICTED.join(' ')} '${agent.bin}'`;
  writeFileSync(wrapper, `#!/bin/sh\n${words} "$@"\n`, { mode: 0o755 });
  agent.bin = wrapper;
  await agent.start();
  return { agent, folder };
}

/** Otherwise the agent's capabilities would keep another root out. */
const RESTRICTED = ['setpriv', '--bounding-set=-all,+bpf,+perfmon', '--inh-caps=-all'];

/** Inspects a process as a root without CAP_SYS_PTRACE; returns whether that is possible. */
function mayLook(pid: number): boolean {
  const look = ['--bounding-set=-sys_ptrace', 'readlink', `/proc/${pid}/exe`];
  return spawnSync('setpriv', look, { stdio: 'ignore' }).status === 0;
}

test('no process without CAP_SYS_PTRACE can inspect the agent', async (t) => {
  const [command = '', ...args] = [...RESTRICTED, 'sleep', '1000'];
  const other = spawn(command, args, { stdio: 'ignore' });
  await once(other, 'spawn');
  t.after(() => other.kill());
  const { agent } = await startAgent(t);
  assert.ok(mayLook(other.pid ?? 0), 'into that of another program with the same rights');
  assert.ok(!mayLook(agent.pid));
});

test('a crash leaves no core with other processes’ arguments in it', async (t) => {
  const { agent, folder } = await startAgent(t);
  await runProgram('noop', 'secrecy:argument');
  await agent.journal.marked('secrecy:argument');
  assert.equal(await agent.stop('SIGSEGV'), 'SIGSEGV');
  assert.deepEqual(readdirSync(folder), []);
  spawnSync('sh', ['-c', 'ulimit -c unlimited; cd "$0"; kill -SEGV $$', folder]);
  if (readdirSync(folder).length === 0) t.skip('this machine puts no core of any program here');
});

test('no file of the agent is readable for other users', async (t) => {
  const { agent } = await startAgent(t, '--segment-max-bytes', '64KiB');
  const names = () => readdirSync(agent.journalDir);
  // A segment is closed by the batch after the one that fills it, so one burst is not enough.
  for (let round = 0; !names().some((name) => name.endsWith('.zst')); round++) {
    assert.ok(round < 1000, 'no segment was compressed');
    await runProgram('load', 'storm', '10', '1000');
  }
  await agent.journal.waitFor('state.json', () => names().includes('state.json') || undefined);
  for (const folder of [agent.journalDir, agent.pinDir]) {
    assert.equal(statSync(folder).mode & 0o077, 0, folder);
    for (const name of readdirSync(folder)) {
      // A file that is replaced in the meantime has the mode of the new one.
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      assert.equal((stat?.mode ?? 0) & 0o077, 0, name);
    }
  }
});

test('the agent has no socket unless one is configured', async (t) => {
  const { agent } = await startAgent(t);
  const folder = `/proc/${agent.pid}/fd`;
  const open = readdirSync(folder)
    .filter((fd) => Number(fd) > 2)
    .map((fd) => readlinkSync(join(folder, fd)));
  assert.ok(open.length > 0);
  assert.deepEqual(
    open.filter((target) => target.startsWith('socket:')),
    [],
  );
});
