import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram, startAgent } from '../../support/agent.ts';

const PATIENCE_MS = 60_000;
/** Less than Node's start leaves mapped of its own program. */
const PROGRAM_KIB = 15_000;

test('what only the start needed is given back, and the agent records on', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const before = programKib(agent.pid);
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    const now = programKib(agent.pid);
    if (now < before - PROGRAM_KIB) break;
    assert.ok(Date.now() < deadline, `${now} KiB of ${before} are mapped`);
  }
  await runProgram('noop', 'afterwards');
  await agent.journal.marked('afterwards', PATIENCE_MS);
});

/** What is resident of Node's own file. */
function programKib(pid: number): number {
  return readFileSync(`/proc/${pid}/smaps`, 'utf8')
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((mapping) => mapping.split('\n', 1)[0]?.endsWith('/bin/node'))
    .reduce((sum, mapping) => sum + Number(/^Rss:\s+(\d+)/m.exec(mapping)?.[1]), 0);
}
