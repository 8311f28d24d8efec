import { deepEqual, ok } from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from '../../support/agent.ts';
import { executeIn, unified } from '../../support/container-cgroup.ts';

test('an exec into a container whose start no agent read is not taken for the start', async (t) => {
  const agent = await startAgent({ args: ['--quiet-after', '1s'] });
  t.after(() => agent.close());
  await agent.stop();
  await sleep(1300);
  const uid = `12345678_1234_1234_1234_${100_000_000_000 + process.pid}`;
  const id = process.pid.toString(16).padStart(64, 'a');
  const pod = `${unified()}/kubepods-besteffort-pod${uid}.slice`;
  const folder = `${pod}/cri-containerd-${id}.scope`;
  mkdirSync(folder, { recursive: true });
  t.after(() => {
    rmdirSync(folder);
    rmdirSync(pod);
  });
  await executeIn(folder, 1, 'its-start');
  await agent.start();
  for (const marker of ['later-exec', 'second-exec']) {
    await executeIn(folder, 1, marker);
    await agent.journal.marked(marker);
  }
  const entries = agent
    .records()
    .filter(({ resource }) => resource['container.id'] === id)
    .map(({ attributes }) => attributes)
    .filter((attributes) => attributes['vcml.entry'] !== undefined);
  deepEqual(
    entries.map((attributes) => [attributes['vcml.entry'], attributes['vcml.authority.type']]),
    [
      ['exec', undefined],
      ['exec', undefined],
    ],
  );
  ok(agent.records().some(({ attributes }) => attributes['vcml.loss.stage'] === 'quiet'));
});
