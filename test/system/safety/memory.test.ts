import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { program, runProgram, startAgent } from '../../support/agent.ts';

/** From the sources; without pods an agent at rest has 40 to 46 MiB (docs/sizing.md). */
const MOST_MIB = 64;

test('the agent’s own memory stays below 64 MiB, at rest and after a storm of execs', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  assert.ok(ownMib(agent.pid) < MOST_MIB, `${ownMib(agent.pid)} MiB at rest`);
  const execs = Number(await runProgram('storm', '2', '5', program('noop')));
  assert.ok(execs > 1000, `${execs} execs`);
  await runProgram('noop', 'afterwards');
  await agent.journal.marked('afterwards', 60_000);
  assert.ok(ownMib(agent.pid) < MOST_MIB, `${ownMib(agent.pid)} MiB after ${execs} execs`);
});

/**
 * The process's anonymous memory: without files, which are in the page cache, and without the ring.
 */
function ownMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = /^Anonymous:\s+(\d+) kB$/m.exec(rollup)?.[1];
  assert.ok(kib !== undefined, rollup);
  return Number(kib) / 1024;
}
