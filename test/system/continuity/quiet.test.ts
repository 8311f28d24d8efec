import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { program, runProgram, startAgent } from '../../support/agent.ts';

const EXECS = 50;

test('execs of quiet times are lost by number, and later chains are complete', async (t) => {
  const agent = await startAgent({ args: ['--quiet-after', '1s'] });
  t.after(() => agent.close());
  const shell = spawn('sh', ['-s', 'quiet:before'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill());
  const before = await agent.journal.marked('-s quiet:before');
  await agent.kill();
  await sleep(1200);
  for (let n = 0; n < EXECS; n++) await runProgram('noop', 'quiet:unseen');
  // It begins unseen, reports that it has started, and waits for a line from the same pipe.
  const within = `echo there; read line; sh -c '${program('noop')} quiet:deep; :' quiet:after; :`;
  shell.stdin.write(`sh -c "${within}"; ${program('noop')} quiet:sibling\n`);
  await once(shell.stdout, 'data');
  await agent.start();
  shell.stdin.end('\n');
  const sibling = await agent.journal.marked('quiet:sibling');
  const deep = await agent.journal.marked('quiet:deep');
  assert.equal(await agent.stop(), 0, agent.stderr);

  assert.equal(sibling.parent_cause, before.id);
  const after = agent.records().find(({ id }) => id === deep.parent_cause);
  assert.equal(after?.attributes['vcml.gap.reason'], 'lost');
  const losses = agent.records().filter(({ action }) => action === 'journal.loss');
  const stages = new Set(losses.map(({ attributes }) => attributes['vcml.loss.stage']));
  assert.deepEqual([...stages], ['quiet']);
  const lost = losses.reduce(
    (sum, { attributes }) => sum + Number(attributes['vcml.loss.count']),
    0,
  );
  assert.ok(lost >= EXECS + 1, `${lost} recorded as lost`);
  const recorded = agent.records().map((record) => `${record.attributes['process.command_args']}`);
  assert.ok(!recorded.some((args) => args.includes('quiet:unseen')));
  assert.deepEqual(judge(agent.journal.read() && agent.journal.lines).findings, []);
});

test('a sleeping agent counts as a reader, however long nothing happens', async (t) => {
  const agent = await startAgent({ args: ['--quiet-after', '1s'] });
  t.after(() => agent.close());
  await sleep(2500);
  await runProgram('noop', 'quiet:awake');
  await agent.journal.marked('quiet:awake');
  assert.equal(await agent.stop(), 0, agent.stderr);
  const actions = agent.records().map(({ action }) => action);
  assert.ok(!actions.includes('journal.loss'));
});

test('while the last export is awaited, the hook stores events for the next agent', async (t) => {
  // It accepts connections and never answers.
  const collector = createServer().listen(0, '127.0.0.1');
  await once(collector, 'listening');
  t.after(() => collector.close());
  const { port } = collector.address() as { port: number };
  const agent = await startAgent({
    args: ['--quiet-after', '1s', '--export-endpoint', `http://127.0.0.1:${port}`],
  });
  t.after(() => agent.close());
  process.kill(agent.pid);
  await agent.journal.waitFor('journal.stop', (records) =>
    records.find(({ action }) => action === 'journal.stop'),
  );
  let count = 0;
  let isOver = false;
  const executing = (async () => {
    for (; !isOver; count++) {
      await runProgram('noop', `handover:${count}`);
      await sleep(50);
    }
  })();
  await agent.start(); // waits for the hook
  isOver = true;
  await executing;
  await agent.journal.marked(`handover:${count - 1}`);
  assert.equal(await agent.stop(), 0, agent.stderr);
  const records = agent.records();
  assert.ok(!records.some(({ action }) => action === 'journal.loss'));
  const recorded = new Set(
    records.map(({ attributes }) => `${attributes['process.command_args']}`),
  );
  const missing = Array.from({ length: count }, (_, n) => n).filter(
    (n) => ![...recorded].some((args) => args.endsWith(`handover:${n}`)),
  );
  assert.deepEqual(missing, []);
});
