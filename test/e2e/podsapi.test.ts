import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Cluster } from './cluster.ts';
import { DIR, NODE_NAME, RUNTIME_STATE, STATIC_PODS } from './place.ts';
import { container, type PodObject, pod, podSpec } from './pods.ts';
import { startRecorder } from './recorder.ts';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
// There is no kubeconfig, because the socket needs only root.
const recorder = await startRecorder(
  '--metadata',
  'kubelet',
  '--runtime-dirs',
  RUNTIME_STATE,
  '--metadata-wait',
  '10s',
  '--kubelet-endpoint',
  `unix://${DIR}/kubelet/pods-api/pods-api.sock`,
  '--pod-labels',
  'app',
);
after(() => recorder[Symbol.asyncDispose]());

test('the kubelet’s pods API provides what the API server does', async () => {
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: podSpec([container('main', ['sh', '-c', '/bin/true served; sleep 1000'])], {
          restartPolicy: 'Always',
          initContainers: [container('setup', ['true', 'initialised'])],
        }),
      },
    },
  });
  const served = await recorder.marked('served');
  const { items } = await cluster.get<{ items: readonly PodObject[] }>(
    'pods',
    '--selector=app=web',
  );
  const [web] = items;
  for (const [record, name, type] of [
    [served, 'main', 'regular'],
    [await recorder.marked('initialised'), 'setup', 'init'],
  ] as const) {
    const { resource, attributes } = record;
    assert.equal(attributes['vcml.metadata.state'], 'complete');
    assert.equal(resource['k8s.pod.uid'], web?.metadata.uid);
    assert.equal(resource['k8s.pod.name'], web?.metadata.name);
    assert.equal(resource['k8s.container.name'], name);
    assert.equal(resource['vcml.container.type'], type);
    assert.equal(resource['k8s.deployment.name'], 'web');
    assert.equal(resource['k8s.pod.label.app'], 'web');
    assert.match(String(resource['k8s.pod.start_time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
});

test('it provides static pods without an API server', async (context) => {
  await cluster.component('kube-apiserver').stop('SIGKILL');
  context.after(() => cluster.startApiServer());
  const file = `${DIR}/static.json`;
  const manifest = pod('static', [container('main', ['true', 'static'])]);
  writeFileSync(
    file,
    JSON.stringify({ ...manifest, metadata: { name: 'static', labels: { app: 'own' } } }),
  );
  renameSync(file, `${STATIC_PODS}/static.json`);
  const { resource, attributes } = await recorder.marked('static');
  assert.equal(attributes['vcml.metadata.state'], 'complete');
  assert.equal(resource['k8s.pod.name'], `static-${NODE_NAME}`);
  assert.equal(resource['k8s.pod.label.app'], 'own');
});

test('the log reports a stopped kubelet once, and its pods are known again when it returns', async () => {
  const kubelet = cluster.component('kubelet');
  await kubelet.stop();
  await recorder.waitFor('the problem', () =>
    recorder.agent.stderr.includes('pod metadata unavailable') ? true : undefined,
  );
  kubelet.start();
  await recorder.waitFor('its end', () =>
    recorder.agent.stderr.includes('pod metadata available again') ? true : undefined,
  );
  await cluster.apply(pod('later', [container('main', ['true', 'later'])]));
  const { attributes } = await recorder.marked('later');
  assert.equal(attributes['vcml.metadata.state'], 'complete');
  assert.equal(recorder.agent.stderr.split('pod metadata unavailable').length, 2, 'reported once');
});
