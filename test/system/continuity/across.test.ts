import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

test('a chain continues from before an agent’s death, through its absence, to after it', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const shell = spawn('sh', ['-s', 'across:before'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill());
  const before = await agent.journal.marked('-s across:before');
  await agent.kill();
  // It reports that it has started, and waits for a line from the same pipe.
  const away = `echo there; read line; ${program('noop')} across:after; :`;
  shell.stdin.write(`sh -c '${away}' across:away\n`);
  await once(shell.stdout, 'data');
  await agent.start();
  shell.stdin.end('\n');
  const after = await agent.journal.marked('across:after');
  const child = await agent.journal.marked(`-c ${away} across:away`);
  assert.equal(child.parent_cause, before.id);
  assert.equal(after.parent_cause, child.id);
  await stopAndJudge(agent);
});

test('an exec that happened while on_exec was detached is a gap, and not its earlier invocation', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const shell = spawn('sh', ['-s', 'across:former'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill());
  await agent.journal.marked('-s across:former');
  await agent.kill();
  rmSync(join(agent.pinDir, 'on_exec_1'));
  await linkGone();
  const unseen = `echo there; read line; ${program('noop')} across:child; :`;
  shell.stdin.write(`exec sh -c '${unseen}'\n`);
  await once(shell.stdout, 'data');
  await agent.start();
  shell.stdin.end('\n');
  const child = await agent.journal.marked('across:child');
  assert.equal(child.attributes['vcml.gap.reason'], 'untracked');
  const stages = agent.records().map(({ attributes }) => attributes['vcml.loss.stage']);
  assert.ok(stages.includes('kernel'));
});

for (const missing of [[], ['state.json'], ['state.json', 'checkpoint.json']])
  test(`losses of an earlier run stay losses, without ${missing.join(' and ') || 'damage'}`, async (t) => {
    const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
    t.after(() => agent.close());
    await agent.kill();
    const waiting = spawn(
      program('load'),
      ['storm', '4000', '8000', 'wait-and-spawn', 'across:lost'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    t.after(() => waiting.kill());
    await once(waiting.stdout, 'data');
    await agent.start();
    await agent.journal.waitFor('the loss', lossOf);
    await allTold(agent);
    if (missing.length === 0) await agent.stop();
    else await agent.kill();
    for (const name of missing) rmSync(join(agent.journalDir, name), { force: true });
    await agent.start();
    waiting.stdin.end('go\n');
    const child = await agent.journal.marked('spawn across:lost');
    assert.equal(child.actor.ppid, waiting.pid);
    assert.equal(child.attributes['vcml.gap.reason'], 'lost');
    assert.match(String(child.attributes['vcml.gap.lost_cause']), /^[0-9a-f-]{36}$/);
    const grandchild = await agent.journal.marked('across:lost');
    assert.equal(grandchild.parent_cause, child.id);
    assert.deepEqual(agent.journal.withMarker('wait-and-spawn across:lost'), []);
    await stopAndJudge(agent);
  });

for (const end of ['SIGTERM', 'SIGKILL'] as const)
  test(`a waiting agent takes over the hook when its holder ends by ${end}`, async (t) => {
    const first = await startAgent();
    t.after(() => first.close());
    const { journalDir, pinDir } = first;
    const second = new Agent({ journalDir, pinDir, args: ['--wait-for-hook', '15s'] });
    t.after(() => second.close());
    const started = second.start();
    await runProgram('noop', 'across:first');
    await first.journal.marked('across:first');
    await first.stop(end);
    await runProgram('noop', 'across:between');
    assert.equal((await started).attributes['vcml.hook.state'], 'resumed');
    await runProgram('noop', 'across:second');
    await second.journal.marked('across:second');
    await second.journal.marked('across:between');
    await stopAndJudge(second);
  });

test('a waiting agent takes over from one that still waits for its collector at the end', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const first = await startAgent({ args: ['--export-endpoint', `http://127.0.0.1:${port}`] });
  t.after(() => first.close());
  const { journalDir, pinDir } = first;
  await runProgram('noop', 'across:unsent');
  await first.journal.marked('across:unsent');
  const second = new Agent({ journalDir, pinDir, args: ['--wait-for-hook', '30s'] });
  t.after(() => second.close());
  const started = second.start();
  await first.stop();
  assert.equal((await started).attributes['vcml.hook.state'], 'resumed');
  await stopAndJudge(second);
});

/** Makes an exec on each CPU, whose record reveals what was lost there before it. */
async function allTold(agent: Agent): Promise<void> {
  await sleep(300);
  for (const cpu of cpus().keys()) {
    execFileSync('taskset', ['-c', String(cpu), program('noop'), `across:reveal:${cpu}`]);
    await agent.journal.marked(`across:reveal:${cpu}`);
  }
}

/** The kernel detaches a link shortly after its last pin was removed. */
async function linkGone(): Promise<void> {
  await sleep(300);
}

function lossOf(records: readonly JournalLine[]): JournalLine | undefined {
  return records.find(({ attributes }) => attributes['vcml.loss.stage'] === 'ring_buffer');
}

/** Ends the agent in an orderly way; its journal must hold up to the end. */
async function stopAndJudge(agent: Agent): Promise<void> {
  assert.equal(await agent.stop(), 0, agent.stderr);
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
}
