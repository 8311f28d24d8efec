import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../support/agent.ts';
import { until } from '../support/until.ts';

test('a bundle needs nothing of the folder that it comes from, not even to report a failure', async (t) => {
  // Nothing listens there.
  const agent = new Agent({ args: ['--export-endpoint', 'http://localhost:1'] });
  t.after(() => agent.close());
  agent.bundle();
  await agent.start();
  await until('a word about the collector', () => agent.stderr.includes('"code":"UNAVAILABLE"'));
  assert.match(agent.stderr, /records are held in the journal/);
});
