import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';

let agent: Agent;

before(async () => {
  agent = await startAgent();
});
after(() => agent?.close());

/** Waits for both records by their markers; the first must be linked to the second. */
async function assertLinked(child: string, parent: string) {
  const records = {
    child: await agent.journal.marked(child),
    parent: await agent.journal.marked(parent),
  };
  assert.equal(
    records.child.parent_cause,
    records.parent.id,
    `${child} is not linked to ${parent}`,
  );
  assert.equal(records.child.permitted_by, 'parent_process_context');
  return records;
}

describe('a process acts under the record of its latest exec', () => {
  test('a subshell that forks and never execs passes on its own cause', async () => {
    await runProgram('links', 'subshell');
    const { child, parent } = await assertLinked('case:subshell:child', 'subshell');
    assert.notEqual(child.actor.ppid, parent.actor.pid);
  });

  test('sh -c "exec app" links app to sh, in one pid', async () => {
    const command = `exec ${program('noop')} case:in-place:app`;
    await run('sh', '-c', command);
    const { child, parent } = await assertLinked('case:in-place:app', `-c ${command}`);
    assert.equal(child.actor.pid, parent.actor.pid);
  });

  test("a shell's subshell links to the shell", async () => {
    const command = `(${program('noop')} case:shell:child; :); :`;
    await run('sh', '-c', command);
    await assertLinked('case:shell:child', `-c ${command}`);
  });

  test('a pipeline links every part to the shell', async () => {
    const noop = program('noop');
    const command = `${noop} case:pipe:1 | ${noop} case:pipe:2 | ${noop} case:pipe:3; :`;
    await run('sh', '-c', command);
    for (const part of [1, 2, 3]) await assertLinked(`case:pipe:${part}`, `-c ${command}`);
  });

  test('a child whose parent execs first is linked to the invocation that forked it', async () => {
    await runProgram('links', 'parent-reexec');
    const { child, parent } = await assertLinked('case:parent-reexec:first', 'parent-reexec');
    assert.equal(child.actor.ppid, parent.actor.pid);
    const second = await agent.journal.marked('case:parent-reexec:second');
    const image = agent
      .records()
      .filter(({ attributes }) => String(attributes['process.command_args']).includes('-second'));
    assert.equal(image.length, 1);
    assert.equal(second.parent_cause, image[0]?.id);
    assert.equal(image[0]?.parent_cause, parent.id);
  });
});

describe('orphans and daemons keep the cause that they were forked with', () => {
  test('a double fork whose middle process has ended', async () => {
    await runProgram('links', 'double-fork');
    const { child, parent } = await assertLinked('case:double-fork:orphan', 'double-fork');
    assert.notEqual(child.actor.ppid, parent.actor.pid);
  });

  test('a double fork by a program that has ended', async () => {
    await runProgram('links', 'middle-gone');
    const middle = 'orphan-maker case:middle-gone:orphan';
    await assertLinked('case:middle-gone:orphan', middle);
    await assertLinked(middle, 'middle-gone');
  });

  test('an orphan that a subreaper takes', async () => {
    await runProgram('links', 'subreaper');
    const middle = 'orphan-maker case:subreaper:orphan';
    const { child } = await assertLinked('case:subreaper:orphan', middle);
    const reaper = await agent.journal.marked('subreaper');
    assert.equal(child.actor.ppid, reaper.actor.pid);
  });

  test('a daemon behind setsid', async () => {
    await runProgram('links', 'daemon');
    const { child } = await assertLinked('case:daemon:daemon', 'daemon');
    assert.equal(child.attributes['process.working_directory'], '/');
  });
});

describe('a thread counts as its process', () => {
  test('when it spawns', async () => {
    await runProgram('links', 'thread-spawn');
    await assertLinked('case:thread-spawn:child', 'thread-spawn');
  });

  test('when it execs and is not the leader', async () => {
    await runProgram('links', 'thread-exec');
    const image = 'spawn case:thread-exec:child';
    const { child, parent } = await assertLinked(image, 'thread-exec');
    assert.equal(child.actor.pid, parent.actor.pid);
    await assertLinked('case:thread-exec:child', image);
  });

  test('when the leader has exited and another one spawns and execs', async () => {
    await runProgram('links', 'leader-exit');
    await assertLinked('case:leader-exit:child', 'leader-exit');
    const { child, parent } = await assertLinked('case:leader-exit:exec', 'leader-exit');
    assert.equal(child.actor.pid, parent.actor.pid);
  });
});

describe('however the child is made', () => {
  test('vfork', async () => {
    await runProgram('links', 'vfork');
    await assertLinked('case:vfork:child', 'vfork');
  });

  test('posix_spawn', async () => {
    await runProgram('links', 'posix-spawn');
    await assertLinked('case:posix-spawn:child', 'posix-spawn');
  });

  test('clone with CLONE_PARENT links to the caller and not to the parent', async () => {
    await runProgram('links', 'clone-parent');
    const { child } = await assertLinked('case:clone-parent:child', 'clone-parent-maker');
    const grandparent = await agent.journal.marked('clone-parent');
    assert.equal(child.actor.ppid, grandparent.actor.pid);
  });

  test('a reused pid never inherits from its earlier process', async () => {
    await runProgram('links', 'pid-reuse');
    const { child: second } = await assertLinked('case:pid-reuse:second', 'pid-reuse');
    const first = await agent.journal.marked('case:pid-reuse:first');
    assert.equal(second.actor.pid, first.actor.pid);
    await assertLinked('case:pid-reuse:child', 'pid-reuse');
  });

  test('PID 1 of a pid namespace and its children', async () => {
    await runProgram('links', 'pid-namespace');
    const { child: init, parent } = await assertLinked('pid-namespace-init', 'pid-namespace');
    assert.equal(init.attributes['process.vpid'], 1);
    assert.notEqual(init.actor.pid, 1);
    assert.notEqual(init.attributes['vcml.namespace.pid'], parent.attributes['vcml.namespace.pid']);
    await assertLinked('case:pid-namespace:child', 'pid-namespace-init');
  });

  test('an orphan in a pid namespace', async () => {
    const middle = 'orphan-maker case:pid-namespace:orphan';
    const { child } = await assertLinked('case:pid-namespace:orphan', middle);
    const init = await agent.journal.marked('pid-namespace-init');
    assert.equal(child.actor.ppid, init.actor.pid);
  });
});

test('an exec that fails makes no record and changes no cause', async () => {
  await runProgram('links', 'failed-exec', agent.directory);
  await assertLinked('case:failed-exec:after', `failed-exec ${agent.directory}`);
  for (const how of ['missing', 'garbage', 'script', 'plain', 'directory']) {
    assert.deepEqual(agent.journal.withMarker(`case:failed-exec:${how}`), []);
  }
});

test('the journal of all this has no findings', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});

/** Runs a program of the system to its end. */
async function run(command: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${code}`))));
  });
}
