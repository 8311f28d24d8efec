import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram, startAgent } from '../../support/agent.ts';

test('run --print jsonl prints the lines of the journal, and nothing else', async () => {
  const agent = await startAgent({ args: ['--print', 'jsonl'] });
  try {
    await runProgram('noop');
    equal(await agent.stop(), 0);
    const ids = agent.stdout.split('\n').map((line) => (line ? JSON.parse(line).id : undefined));
    const journal = agent.records().map(({ id }) => id);
    equal(ids.join('\n'), [...journal, undefined].join('\n'));
    match(agent.stderr, /\d+ records, .*, in /);
  } finally {
    await agent.close();
  }
});

test('run --print text prints one line for each record', async () => {
  const agent = await startAgent({ args: ['--print', 'text'] });
  try {
    await runProgram('noop', 'shown\u001b[31m');
    equal(await agent.stop(), 0);
    equal(agent.stdout.split('\n').length, agent.records().length + 1);
    match(agent.stdout, /build\/programs\/noop 'shown\\x1b\[31m' {2}/);
    ok(!agent.stdout.includes('\u001b'));
  } finally {
    await agent.close();
  }
});
