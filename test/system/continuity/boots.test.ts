import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, runProgram, startAgent } from '../../support/agent.ts';
import { runningBootId } from '../../support/ids.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

const FORMER_BOOT = '00000000-1111-4222-8333-444444444444';

for (const end of ['SIGKILL', 'SIGTERM'] as const)
  for (const state of ['there', 'missing'])
    test(`a reboot after ${end} is a loss, because the hook may have recorded more, with state.json ${state}`, async (t) => {
      const agent = await startAgent();
      t.after(() => agent.close());
      const last = await recordOne(agent);
      await agent.stop(end);
      agent.detach('--discard');
      reboot(agent);
      if (state === 'missing') rmSync(join(agent.journalDir, 'state.json'), { force: true });
      await agent.start();
      const loss = await agent.journal.waitFor('the loss', rebootLoss);
      assert.equal(loss.attributes['vcml.loss.boot_id'], FORMER_BOOT);
      const next = loss.attributes['vcml.loss.next_seq'] as number[];
      const { 'vcml.cpu': cpu, 'vcml.seq': seq } = last.attributes;
      assert.ok((next[Number(cpu)] ?? 0) > Number(seq));
      assert.equal(loss.attributes['vcml.loss.count'], undefined);
      assert.ok(agent.records().at(-1)?.attributes['vcml.boot.id'] !== FORMER_BOOT);
      await onlyOnce(agent);
    });

test('a reboot after an orderly detach loses nothing', async (t) => {
  const agent = await startAgent({ args: ['--on-exit', 'detach'] });
  t.after(() => agent.close());
  await recordOne(agent);
  await agent.stop();
  reboot(agent);
  await agent.start();
  await runProgram('noop', 'boots:later');
  await agent.journal.marked('boots:later');
  assert.equal(rebootLoss(agent.records()), undefined);
});

test('a new hook of the same boot after an orderly detach begins at 1 and loses nothing', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await recordOne(agent);
  await agent.kill();
  assert.equal(agent.detach('--journal-dir', agent.journalDir).status, 0);
  const start = await agent.start();
  assert.equal(start.attributes['vcml.hook.state'], 'attached');
  assert.ok((start.attributes['vcml.hook.next_seq'] as number[]).every((next) => next === 1));
  await runProgram('noop', 'boots:later');
  await agent.journal.marked('boots:later');
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
  assert.ok(!agent.records().some(({ action }) => action === 'journal.loss'));
});

async function recordOne(agent: Agent): Promise<JournalLine> {
  await runProgram('noop', 'boots:former');
  return agent.journal.marked('boots:former');
}

/** Changes everything in the journal to another boot. */
function reboot(agent: Agent): void {
  const boot = runningBootId();
  for (const name of readdirSync(agent.journalDir)) {
    const file = join(agent.journalDir, name);
    if (/jsonl$|json$/.test(name))
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(boot, FORMER_BOOT));
  }
}

/** A further run of the new boot reports nothing about the former one. */
async function onlyOnce(agent: Agent): Promise<void> {
  await agent.stop();
  await agent.start();
  await runProgram('noop', 'boots:again');
  await agent.journal.marked('boots:again');
  await agent.stop();
  assert.equal(agent.records().filter((record) => rebootLoss([record])).length, 1);
}

function rebootLoss(records: readonly JournalLine[]): JournalLine | undefined {
  return records.find(({ attributes }) => attributes['vcml.loss.stage'] === 'reboot');
}
