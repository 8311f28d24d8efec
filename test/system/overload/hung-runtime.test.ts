import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgent } from '../../support/agent.ts';
import { executeIn, makePodContainer } from '../../support/container-cgroup.ts';
import { mountHungFolder } from '../../support/hung-folder.ts';
import { urlOf } from '../../support/scrape.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ANSWER_MS = 20_000;

test('a runtime’s file system that hangs holds up no probe and no record, and names come once it answers', async (t) => {
  const hung = mountHungFolder(t);
  const dir = temporaryFolder(t);
  const [uid, name] = [randomUUID(), 'hung-1'];
  const id = createHash('sha256').update(uid).digest('hex');
  const bundle = join(dir, 'io.containerd.runtime.v2.task/k8s.io', id);
  mkdirSync(bundle, { recursive: true });
  const cri = 'io.kubernetes.cri';
  const annotations = { [`${cri}.sandbox-name`]: name, [`${cri}.container-name`]: 'c' };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ annotations }));
  const dirs = `${hung.dir} ${dir}`;
  const args = ['--telemetry-address', '0', '--metadata', 'none', '--runtime-dirs', dirs];
  const agent = await startAgent({ args });
  t.after(async () => {
    hung.release();
    await agent.close();
  });
  const live = await urlOf(agent, '/livez');
  const folder = makePodContainer(t, uid, id);
  let n = 0;
  const next = async () => {
    const marker = `hung:${n++}`;
    await executeIn(folder, 1, marker);
    const { resource, attributes } = await agent.journal.marked(marker);
    const { status } = await fetch(live, { signal: AbortSignal.timeout(ANSWER_MS) });
    assert.deepEqual([status, resource['container.id']], [200, id]);
    return [resource['k8s.pod.name'], attributes['vcml.metadata.state']];
  };
  for (let times = 0; times < 3; times++) assert.deepEqual(await next(), [undefined, 'partial']);
  assert.match(agent.stderr, /"event":"metadata.runtime_stalled"/);
  hung.release();
  for (;;) {
    const [pod, state] = await next();
    if (state === 'partial') continue;
    assert.deepEqual([pod, state], [name, 'complete']);
    break;
  }
  assert.equal(await agent.stop(), 0, agent.stderr);
});
