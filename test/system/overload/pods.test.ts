import { ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent } from '../../support/agent.ts';
import { ApiServer, answering, apiPod } from '../../support/api-server.ts';

/** As many pods as a kubelet takes, and about as large as etcd takes them. */
const PODS = 110;
const POD_BYTES = 1_500_000;
/** What the chart gives to the process, beside the kernel's maps: `agentMemoryMiB`. */
const MEMORY_MAX_MIB = 128;

const api = new ApiServer(answering([]));
await api.start();
const agent = new Agent({
  args: ['--metadata', 'apiserver', '--kubeconfig', api.kubeconfig],
});
after(async () => {
  await agent.close();
  await api.close();
});

/** A pod as a tenant can make it: long annotations, and as many small values as fit. */
function largePod(n: number): object {
  const env = Array.from({ length: POD_BYTES / 30 }, (_, i) => ({ name: `V${i}`, value: '1' }));
  return {
    metadata: {
      uid: `8f4a1c9e-2d3b-4c5d-9e8f-${String(n).padStart(12, '0')}`,
      name: `pod-${n}`,
      namespace: 'shop',
      annotations: { large: 'x'.repeat(256_000) },
    },
    spec: { containers: [{ name: 'main', image: 'a:1', env }] },
  };
}

function* largeList() {
  yield '{"kind":"PodList","metadata":{"resourceVersion":"10"},"items":[';
  for (let n = 0; n < PODS; n += 1) yield `${n === 0 ? '' : ','}${JSON.stringify(largePod(n))}`;
  yield ']}';
}

function anonymousMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

test('the memory of the agent stays within its limit, however large the pods of the node are', async (t) => {
  const watching = answering([]);
  api.answer = (request, response) => {
    if (request.watch) return watching(request, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    pipeline(Readable.from(largeList()), response, () => {});
  };
  await agent.start();
  let most = 0;
  const look = async () => {
    most = Math.max(most, anonymousMiB(agent.pid));
    await pause(10);
  };
  while (api.watches.size === 0) await look();
  t.diagnostic(`${Math.round(most)} MiB at most while listing`);
  for (let n = 0; n < PODS; n += 1) {
    api.send('MODIFIED', largePod(n));
    await look();
  }
  api.send('ADDED', apiPod('8f4a1c9e-2d3b-4c5d-9e8f-ffffffffffff', 'last', '12'));
  for (let looks = 0; looks < 300; looks += 1) await look();
  t.diagnostic(`${Math.round(most)} MiB at most with changes`);
  ok(most < MEMORY_MAX_MIB, `${most} MiB`);
});
