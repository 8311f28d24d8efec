import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { judge } from '../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../support/agent.ts';
import type { JournalLine } from '../support/journal/followed-journal.ts';

const SECRET = 'hunter2hunter2';

test('a secret in arguments reaches no file, and the record says that it was redacted', async (t) => {
  const agent = await recorded(t);
  const { attributes } = await agent.journal.marked('--password=[redacted] redact:case');
  const expected = [program('noop'), '--password=[redacted]', 'redact:case'];
  assert.deepEqual(attributes['process.command_args'], expected);
  assert.equal(attributes['vcml.process.args_redacted'], 1);
  assert.equal(attributes['process.args_count'], 3);
  await stop(agent);
  assert.ok(!agent.journal.lines.some((line) => line.includes(SECRET)));
});

test('arguments: full records them as they are', async (t) => {
  const agent = await recorded(t, '--arguments', 'full');
  const { attributes } = await agent.journal.marked(`--password=${SECRET} redact:case`);
  assert.ok(String(attributes['process.command_args']).includes(SECRET));
  assert.ok(!('vcml.process.args_redacted' in attributes));
  await stop(agent);
});

test('arguments: none records how many there were', async (t) => {
  const agent = await recorded(t, '--arguments', 'none');
  await stop(agent);
  const noop = agent.records().filter(({ actor }) => actor.comm === 'noop');
  assert.equal(noop.length, 1);
  const { attributes } = noop[0] as JournalLine;
  assert.equal(attributes['process.args_count'], 3);
  for (const key of ['process.command', 'process.command_args', 'vcml.process.args_truncated'])
    assert.ok(!(key in attributes), key);
});

/** An agent that has seen an exec with a secret. */
async function recorded(t: TestContext, ...args: readonly string[]): Promise<Agent> {
  const agent = await startAgent({ args });
  t.after(() => agent.close());
  await runProgram('noop', `--password=${SECRET}`, 'redact:case');
  return agent;
}

async function stop(agent: Agent): Promise<void> {
  assert.equal(await agent.stop(), 0, agent.stderr);
  assert.deepEqual(judge(agent.journal.read() && agent.journal.lines).findings, []);
}
