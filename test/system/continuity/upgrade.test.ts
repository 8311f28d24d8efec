import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { copyAgent } from '../../support/copy-agent.ts';
import { ROOT } from '../../support/paths.ts';
import { allRecorded, startStorm } from './storm.ts';

test('another kernel side of the same layout takes over in a storm, and back, without missing an exec', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const bins = [otherBuild(agent, 'same'), agent.bin];
  const storm = startStorm(agent, 5);
  for (let round = 0; round < 4; round++) {
    await sleep(200 + Math.random() * 300);
    if (round % 2 === 0) await agent.kill();
    else assert.equal(await agent.stop(), 0, agent.stderr);
    agent.bin = bins[round % 2] as string;
    const start = await agent.start();
    assert.equal(start.attributes['vcml.hook.state'], 'upgraded');
  }
  const execs = await storm.end();
  assert.equal(await allRecorded(agent, execs), 0);
});

for (const direction of ['up', 'down'] as const)
  test(`unread events of another version are lost by number, and causes continue: ${direction}`, async (t) => {
    const agent = await startAgent();
    t.after(() => agent.close());
    const bins = [agent.bin, otherBuild(agent, 'events')];
    if (direction === 'down') {
      assert.equal(await agent.stop(), 0, agent.stderr);
      agent.bin = bins.reverse()[0] as string;
      await agent.start();
    }
    const shell = spawn('sh', ['-s', 'upgrade:before'], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => shell.kill());
    const before = await agent.journal.marked('-s upgrade:before');
    await agent.kill();
    for (let n = 0; n < 10; n++) await runProgram('noop', 'upgrade:unread');
    const within = `echo there; read line; ${program('noop')} upgrade:orphan; :`;
    shell.stdin.write(`sh -c '${within}'; ${program('noop')} upgrade:after\n`);
    await once(shell.stdout, 'data');
    agent.bin = bins[1] as string;
    const start = await agent.start();
    assert.equal(start.attributes['vcml.hook.state'], 'upgraded');
    shell.stdin.end('\n');
    const after = await agent.journal.marked('upgrade:after');
    const orphan = await agent.journal.marked('upgrade:orphan');
    assert.equal(await agent.stop(), 0, agent.stderr);

    assert.equal(after.parent_cause, before.id);
    assert.equal(orphan.attributes['vcml.gap.reason'], 'lost');
    const losses = agent.records().filter(({ action }) => action === 'journal.loss');
    const stages = new Set(losses.map(({ attributes }) => attributes['vcml.loss.stage']));
    assert.deepEqual([...stages], ['upgrade']);
    assert.ok(losses.every(({ attributes }) => Number(attributes['vcml.loss.first_seq']) > 0));
    assert.deepEqual(judge(agent.journal.read() && agent.journal.lines).findings, []);
  });

/** The agent with another build of the kernel side, of the same layout or with events of version 2. */
function otherBuild(agent: Agent, change: 'same' | 'events'): string {
  const root = join(agent.directory, change);
  const bin = copyAgent(root);
  const object = join(root, 'build/exec.bpf.o');
  if (change === 'same') {
    const note = join(root, 'note');
    writeFileSync(note, 'another build');
    const added = `.comment.other=${note}`;
    execFileSync('llvm-objcopy', ['--add-section', added, join(ROOT, 'build/exec.bpf.o'), object]);
    return bin;
  }
  // `make test` has built it. A test that runs alone must not use one of older sources.
  execFileSync('make', ['--silent', 'build/programs/next.bpf.o'], { cwd: ROOT });
  copyFileSync(program('next.bpf.o'), object);
  const decoder = join(root, 'agent/source/decode.ts');
  const text = readFileSync(decoder, 'utf8');
  assert.match(text, /EVENT_VERSION = 1;/);
  writeFileSync(decoder, text.replace('EVENT_VERSION = 1;', 'EVENT_VERSION = 2;'));
  return bin;
}

test('pins of an unknown layout are refused, named and left alone', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  assert.equal(await agent.stop(), 0, agent.stderr);
  const map = ['pinned', join(agent.pinDir, 'control_page')];
  const dump = execFileSync('bpftool', ['-j', 'map', 'dump', ...map], { encoding: 'utf8' });
  const [{ value }] = JSON.parse(dump) as [{ value: string[] }];
  // magic, event_version, table_version
  value[12] = '0x63';
  const key = ['key', '0', '0', '0', '0', 'value', ...value];
  execFileSync('bpftool', ['map', 'update', ...map, ...key]);
  await assert.rejects(agent.start(), /has layout 99, this agent knows 1; .* detach --discard/);
  assert.equal(await agent.stop(), 78);
});
