import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../support/agent.ts';
import { ROOT } from '../support/paths.ts';
import { until } from '../support/until.ts';

test('a bundle needs nothing of the folder that it comes from, not even to report a failure', async (t) => {
  // Nothing listens there.
  const agent = new Agent({ args: ['--export-endpoint', 'http://localhost:1'] });
  t.after(() => agent.close());
  agent.bundle();
  await agent.start();
  await until('a word about the collector', () => agent.stderr.includes('"code":"UNAVAILABLE"'));
  assert.match(agent.stderr, /records are held in the journal/);

  // With the name of that folder in it, a release from another one would be another release.
  const folder = dirname(dirname(agent.bin));
  const files = globSync(`${folder}/**`, { exclude: ['**/node-linux-*/**'] }).filter((file) =>
    statSync(file).isFile(),
  );
  assert.ok(files.length > 10);
  assert.deepEqual(
    files.filter((file) => readFileSync(file).includes(ROOT)),
    [],
  );
});
