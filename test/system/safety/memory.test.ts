import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { ownMib } from '../../support/own-memory.ts';
import { until } from '../../support/until.ts';

/** From the sources; without pods an agent at rest has 40 to 46 MiB (docs/sizing.md). */
const MOST_MIB = 64;
/** The chart's agentMemoryMiB: what the limit has for the process, beside the kernel's maps. */
const LIMIT_MIB = 128;
const SEGMENT_BYTES = 64 << 20;

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

test('a start that reads a closed segment back stays within the limit of the chart', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await until('a checkpoint', () => existsSync(join(agent.journalDir, 'state.json')));
  await runProgram('noop', 'read-back');
  await agent.journal.marked('read-back');
  await agent.kill();
  const last = agent.journal.lines.findLast((line) => line.includes('read-back'));
  fillSegment(join(agent.journalDir, segmentName(1)), last ?? '');
  writeFileSync(join(agent.journalDir, segmentName(2)), '');
  const peak = peakMib(agent);
  await agent.start();
  const mib = peak();
  assert.ok(mib > 0 && mib < LIMIT_MIB, `${mib} MiB`);
});

/** Makes a segment full and compressed, as it is after a rotation without a checkpoint. */
function fillSegment(file: string, line: string): void {
  let seq = 1_000_000;
  const next = () => `${line.replace(/"vcml\.seq":\d+/, `"vcml.seq":${seq++}`)}\n`;
  for (let bytes = statSync(file).size; bytes < SEGMENT_BYTES; ) {
    const lines = Array.from({ length: 1000 }, next).join('');
    appendFileSync(file, lines);
    bytes += lines.length;
  }
  execFileSync('zstd', ['-q1', '--rm', file]);
}

/** Watches an agent's own memory from its next start on; the result ends that and says the peak. */
function peakMib(agent: Agent): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, ownMib(agent.pid));
    } catch {} // it is not there yet
  }, 5);
  return () => {
    clearInterval(timer);
    return Math.round(peak);
  };
}
