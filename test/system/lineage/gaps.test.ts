import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { isUuid5, uuid5 } from '../../check/uuid.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { findByMarker } from '../../support/journal/followed-journal.ts';

/** How long a test waits for an exec that may have been lost before it tries another one. */
const DRAIN_MS = 1000;

let agent: Agent;
/** a shell that began before the hook was armed, and reads commands */
let shell: ChildProcess;

before(async () => {
  shell = spawn('sh', [], { stdio: ['pipe', 'ignore', 'inherit'] });
  await once(shell, 'spawn');
  // a small ring fills soon
  agent = await startAgent({ args: ['--ring-size', '1MiB'] });
});
after(async () => {
  shell?.stdin?.end();
  await agent?.close();
});

describe('a chain that starts at a process from before the hook', () => {
  const noop = program('noop');
  const link = program('links');

  test('is a gap that names that process', async () => {
    shell.stdin?.write(`${noop} case:predates:child\n`);
    const line = await agent.journal.marked('case:predates:child');
    assert.equal(line.parent_cause, null);
    assert.equal(line.permitted_by, 'unobserved_parent');
    assert.equal(line.attributes['vcml.gap.reason'], 'predates_hook');
    assert.equal(line.attributes['vcml.gap.ancestor.pid'], shell.pid);
    assert.equal(line.attributes['vcml.gap.ancestor.comm'], 'sh');
    const path = line.attributes['vcml.gap.ancestor.executable.path'];
    assert.equal(path, realpathSync('/bin/sh'));
  });

  test('passes on the same reason to descendants until their first exec', async () => {
    shell.stdin?.write(`( ( ${noop} case:predates:grandchild; : ); : )\n`);
    const line = await agent.journal.marked('case:predates:grandchild');
    assert.notEqual(line.actor.ppid, shell.pid);
    assert.equal(line.attributes['vcml.gap.reason'], 'predates_hook');
    assert.equal(line.attributes['vcml.gap.ancestor.pid'], shell.pid);
  });

  test('continues from the first exec', async () => {
    shell.stdin?.write(`${link} spawn case:predates:linked\n`);
    const line = await agent.journal.marked('case:predates:linked');
    const parent = await agent.journal.marked('spawn case:predates:linked');
    assert.equal(line.parent_cause, parent.id);
    assert.equal(parent.attributes['vcml.gap.reason'], 'predates_hook');
  });

  test('continues when that process itself execs', async () => {
    const { pid } = shell;
    shell.stdin?.end(`exec ${link} spawn case:predates:in-place\n`);
    const line = await agent.journal.marked('case:predates:in-place');
    const parent = await agent.journal.marked('spawn case:predates:in-place');
    assert.equal(line.parent_cause, parent.id);
    assert.equal(parent.actor.pid, pid);
    assert.equal(parent.attributes['vcml.gap.ancestor.pid'], pid);
  });

  test('is distinguished from what this test starts', async () => {
    await runProgram('links', 'spawn', 'case:predates:test');
    const parent = await agent.journal.marked('spawn case:predates:test');
    assert.equal(parent.attributes['vcml.gap.ancestor.pid'], process.pid);
  });
});

test('a hook that stays keeps tracking causes while no agent is running', async () => {
  const waiting = spawn(program('load'), ['wait-and-spawn', 'case:away:child'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(waiting.stdout, 'data');
  const parent = await agent.journal.marked('wait-and-spawn case:away:child');
  await agent.kill();
  waiting.stdin.end('go\n');
  await once(waiting, 'exit');
  const start = await agent.start();
  assert.equal(start.attributes['vcml.hook.state'], 'resumed');
  const child = await agent.journal.marked('spawn case:away:child');
  assert.equal(child.parent_cause, parent.id);
  const grandchild = await agent.journal.marked('case:away:child');
  assert.equal(grandchild.parent_cause, child.id);
});

test('a parent that did not fit the ring is a gap, and the loss is recorded before it', async () => {
  process.kill(agent.pid, 'SIGSTOP');
  // long arguments until the ring is half full, then more execs for the rest
  const storm = spawn(
    program('load'),
    ['storm', '3000', '8000', 'wait-and-spawn', 'case:lost:child'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await once(storm.stdout, 'data');
  process.kill(agent.pid, 'SIGCONT');
  await drained();
  storm.stdin.end('go\n');
  await once(storm, 'exit');
  const child = await agent.journal.marked('spawn case:lost:child');
  assert.equal(child.parent_cause, null);
  assert.equal(child.attributes['vcml.gap.reason'], 'lost');
  assert.equal(child.actor.ppid, storm.pid);
  assert.ok(isUuid5(String(child.attributes['vcml.gap.lost_cause'])));
  const grandchild = await agent.journal.marked('case:lost:child');
  assert.equal(grandchild.parent_cause, child.id);
  const records = agent.records();
  const loss = records.find((line) => line.attributes['vcml.loss.stage'] === 'ring_buffer');
  assert.ok(loss);
  assert.ok(records.indexOf(loss) < records.indexOf(child));
  assert.deepEqual(agent.journal.withMarker('wait-and-spawn case:lost:child'), []);
});

test('a process that did not fit the table is a gap', async () => {
  const small = await startAgent({ args: ['--table-entries', '16'] });
  try {
    await runProgram('load', 'crowd', '64', 'case:untracked:child');
    const child = await small.journal.marked('spawn case:untracked:child');
    assert.equal(child.parent_cause, null);
    assert.equal(child.permitted_by, 'unobserved_parent');
    assert.equal(child.attributes['vcml.gap.reason'], 'untracked');
    await runProgram('links', 'spawn', 'case:untracked:later');
    const later = await small.journal.marked('case:untracked:later');
    const parent = await small.journal.marked('spawn case:untracked:later');
    assert.equal(later.parent_cause, parent.id, 'there is room again');
    await small.stop();
    small.records();
    assert.deepEqual(judge(small.journal.lines).findings, []);
  } finally {
    await small.close();
  }
});

test('the id of a record and the id that its child names can be computed from the record', () => {
  const child = findByMarker(agent.records(), 'case:predates:linked');
  const parent = findByMarker(agent.records(), 'spawn case:predates:linked');
  assert.ok(child && parent);
  const { 'vcml.boot.id': boot, 'vcml.boot_time': time } = parent.attributes;
  assert.equal(child.parent_cause, uuid5(String(boot), `${time}:${parent.actor.pid}`));
});

test('the journal of all this has no findings', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});

/** Waits until the agent has caught up, so that the ring has room for an exec with its arguments. */
async function drained(): Promise<void> {
  for (let n = 0; ; n++) {
    const marker = `case:drained:${n}`;
    await runProgram('noop', marker);
    const record = await agent.journal.marked(marker, DRAIN_MS).catch(() => undefined);
    if (record !== undefined) return;
  }
}
