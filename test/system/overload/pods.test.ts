import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority } from '../../support/authority.ts';
import { kubeconfigOf } from '../../support/kubeconfig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';
import {
  checkPaced,
  checkReduced,
  idOf,
  LARGE,
  type Named,
  named,
  POD_BYTES,
  PODS,
  recordIn,
  startLimitedAgent,
} from './pod-bed.ts';

/** What can make a pod that large, as JSON. */
const BULKS: readonly { readonly container?: string; readonly annotations?: string }[] = [
  { container: `"env":[{"name":"A","value":"${'x'.repeat(POD_BYTES)}"}]` },
  { container: `"env":[${'{"name":"A","value":"x"},'.repeat(POD_BYTES / 25)}{}]` },
  // The API server writes six bytes for each of these.
  { container: `"args":["${'\\u003c'.repeat(POD_BYTES)}"]` },
  { container: `"args":["${'\\"'.repeat(POD_BYTES)}"]` },
  { annotations: `"kept":"${'x'.repeat(1 << 18)}"`, container: `"x":"${'x'.repeat(POD_BYTES)}"` },
  { annotations: Array.from({ length: 9000 }, (_, n) => `"kept-${n}":"x"`).join() },
  { container: `"x":0},${'{"name":"a"},'.repeat(POD_BYTES / 13)}{"name":"b"` },
  { container: `"image":"${'x'.repeat(POD_BYTES)}"` },
  { container: `"image":"${'\\u003c'.repeat(POD_BYTES)}"` },
];
/** Those that are kept only in part. */
const REDUCED = [6, 7, 8];

const directory = temporaryFolder();
const authority = createAuthority(directory, 'cluster');
const { certificate, key } = authority.issue('test-node', 'DNS:test-node,IP:127.0.0.1');
const kubeconfig = join(directory, 'kubeconfig');

function* pod(one: Named, bulk: number): Generator<string> {
  const { annotations = '', container = '"x":0' } = BULKS[bulk % BULKS.length] ?? {};
  yield `{"metadata":{"name":"${one.name}","namespace":"shop","uid":"${one.uid}",`;
  yield `"annotations":{${annotations}}},"spec":{"containers":[{"name":"cart",${container}}]},`;
  yield `"status":{"containerStatuses":[{"name":"cart","containerID":"containerd://${idOf(one)}"}]}}`;
}

function* list(last: Named): Generator<string> {
  yield '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10"},"items":[';
  for (const [n, one] of LARGE.entries()) {
    yield* pod(one, n);
    yield ',';
  }
  yield* pod(last, -1);
  yield ']}';
}

/** Writes as fast as it is read. */
async function write(response: ServerResponse, texts: Iterable<string>): Promise<void> {
  for (const text of texts) if (!response.write(text)) await once(response, 'drain');
}

/** An HTTPS server that answers as an API server does, and as a kubelet. */
async function serve(t: TestContext, last: Named) {
  const watches = new Set<ServerResponse>();
  const options = { key: readFileSync(key), cert: readFileSync(certificate) };
  const listener = createServer(options, async ({ url = '' }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (url.includes('watch=true')) return watches.add(response);
    await write(response, list(last));
    return response.end();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => {
    listener.close();
    listener.closeAllConnections();
  });
  const server = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const cluster = { server, 'certificate-authority': authority.certificate };
  writeFileSync(kubeconfig, kubeconfigOf(cluster, { token: 'secret-token' }));
  return { server, watches };
}

for (const metadata of ['apiserver', 'kubelet'])
  test(`${PODS} pods of 1.5 MB from the ${metadata} do not end an agent within the memory limit of the chart`, async (t) => {
    const small = named('small');
    const { server, watches } = await serve(t, small);
    const source = ['--metadata', metadata, '--kubeconfig', kubeconfig];
    const kubelet = ['--kubelet-endpoint', server, '--kubelet-certificate', 'verify'];
    const args = [...source, ...kubelet, '--pod-annotations', 'kept*'];
    const { agent, check } = await startLimitedAgent(t, args);
    await recordIn(t, agent, small, 'complete');
    for (const n of REDUCED) await checkReduced(t, agent, LARGE[n] as Named);
    await recordIn(t, agent, LARGE[0] as Named, 'complete');

    for (const watch of watches) {
      const late = named('late');
      for (const [n, one] of LARGE.entries())
        await write(watch, ['{"type":"MODIFIED","object":', ...pod(one, n + 1), '}\n']);
      await write(watch, ['{"type":"ADDED","object":', ...pod(late, -1), '}\n']);
      await recordIn(t, agent, late, 'complete');
    }
    await check();
  });

test('pods of 1.5 MB that change as fast as they are read take a small part of a core', async (t) => {
  const { watches } = await serve(t, named('small'));
  const { agent } = await startLimitedAgent(t, [
    '--metadata',
    'apiserver',
    '--kubeconfig',
    kubeconfig,
  ]);
  const [watch] = await until('a watch', () => (watches.size > 0 ? [...watches] : undefined));
  let n = 0;
  await checkPaced(t, agent, async () => {
    const one = LARGE[n++ % PODS] as Named;
    await write(watch as ServerResponse, ['{"type":"MODIFIED","object":', ...pod(one, n), '}\n']);
  });
});
