import { equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compressSegment } from '../../../agent/journal/archive/compress.ts';
import { Agent } from '../../support/agent.ts';
import { execLines } from '../../support/journal/lines.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { createMemoryCgroup } from '../../support/memory-cgroup.ts';
import { ownMib } from '../../support/own-memory.ts';

/** The chart's agentMemoryMiB, and what the maps of the kernel side take in a small machine. */
const LIMIT_BYTES = (128 + 40) << 20;
/** The most that an agent takes that exports in a storm (docs/sizing.md). */
const BUSY_MIB = 83;
const READERS = 4;
const SEGMENTS = 6;
const LINES = 30_000;

test('readers of a large journal stay within the memory of the pod together with a busy agent', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  agent.bundle();
  const cgroup = createMemoryCgroup(t, LIMIT_BYTES);
  agent.bin = cgroup.launcher(join(agent.directory, 'limited'), agent.bin);
  await agent.start();
  await agent.stop();
  const NEVER = new AbortController().signal;
  const args = ['x', 'y'.repeat(600)];
  for (let number = 101; number <= 100 + SEGMENTS; number += 1) {
    const lines = execLines(LINES * number, LINES * (number + 1), { args });
    writeFileSync(join(agent.journalDir, segmentName(number)), `${lines.join('\n')}\n`);
    await compressSegment(agent.journalDir, number, 1, NEVER);
  }
  await agent.start();
  // What the agent does not take now is taken by a tail, which keeps what has no line feed.
  const tail = cgroup.launcher(join(agent.directory, 'ballast'), '/usr/bin/tail');
  const ballast = spawn(tail, { stdio: ['pipe', 'ignore', 'ignore'] });
  const ballastMib = Math.max(0, BUSY_MIB - ownMib(agent.pid));
  await new Promise((resolve) => ballast.stdin.write(Buffer.alloc(ballastMib * 2 ** 20), resolve));
  const ended = Array.from({ length: READERS }, async (_, n) => {
    const selection = [[], ['--zstd'], ['--pod', 'x'], ['--until', '2100-01-01']][n] ?? [];
    const reader = spawn(agent.bin, ['cat', '--journal-dir', agent.journalDir, ...selection], {
      env: { ...process.env, POD_NAME: 'vcml-agent-x' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let bytes = 0;
    let stderr = '';
    reader.stderr.on('data', (data: Buffer) => (stderr += data));
    reader.stdout.on('data', (data: Buffer) => (bytes += data.length));
    const [code, signal] = await once(reader, 'close');
    equal(code, 0, `cat ${selection.join(' ')}: ${signal}, ${stderr}\n${cgroup.state()}`);
    return bytes;
  });
  const [all = 0, , , until = 0] = await Promise.all(ended);
  ok(all > SEGMENTS * LINES * 600 && until >= all - 1_000_000);
  t.diagnostic(`${cgroup.peak() >> 20} of ${LIMIT_BYTES >> 20} MiB at most`);
  equal(cgroup.kills(), 0);
  equal(await agent.stop(), 0, agent.stderr);
});
