import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { ROOT } from '../support/paths.ts';
import { writeKubeConfig } from './certificates.ts';
import { Cluster, type Manifest } from './cluster.ts';
import { run } from './network.ts';
import { NODE_ADDRESS, NODE_NAME, RUNTIME_STATE, STATIC_PODS } from './place.ts';
import { container, containerId, type PodObject, pod, podSpec, waitForPhase } from './pods.ts';
import { startRecorder } from './recorder.ts';

const RBAC = join(ROOT, 'deploy/rbac.yaml');
const ACCOUNT = 'vcml-agent';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const kubeconfig = await agentsKubeConfig();
const recorder = await startRecorder(
  '--metadata',
  'apiserver',
  '--kubeconfig',
  kubeconfig,
  '--runtime-dirs',
  RUNTIME_STATE,
  '--pod-labels',
  'app',
  '--pod-annotations',
  'owner',
  '--cluster-name',
  'e2e',
  // This is long enough for a busy machine.
  '--metadata-wait',
  '10s',
);
after(() => recorder[Symbol.asyncDispose]());

/** Returns a kubeconfig with only the rights of the manifest. */
async function agentsKubeConfig(): Promise<string> {
  await cluster.kubectl('create', 'namespace', ACCOUNT);
  await run(['kubectl', 'apply', '--filename=-'], readFileSync(RBAC, 'utf8'));
  const token = await cluster.kubectl('create', 'token', ACCOUNT, `--namespace=${ACCOUNT}`);
  return writeKubeConfig('agent', { token: token.trim() });
}

/** Returns the template of a pod with a label and an annotation. */
function template(app: string, containers: readonly Manifest[], spec: Manifest = {}): Manifest {
  const metadata = { labels: { app }, annotations: { owner: 'ann' } };
  return { metadata, spec: podSpec(containers, { restartPolicy: 'Always', ...spec }) };
}

function workload(kind: string, name: string, spec: Manifest): Manifest {
  const selector = { matchLabels: { app: name } };
  return { apiVersion: 'apps/v1', kind, metadata: { name }, spec: { selector, ...spec } };
}

/** Returns the parts of a container's record that a test compares. */
function placeOf({ resource, attributes }: JournalLine) {
  return {
    pod: resource['k8s.pod.name'],
    container: resource['k8s.container.name'],
    type: resource['vcml.container.type'],
    entry: attributes['vcml.entry'],
    state: attributes['vcml.metadata.state'],
  };
}

test('the agent’s account may watch pods and read them from the kubelet, and nothing more', async () => {
  const may = async (...what: readonly string[]) => {
    const account = `--as=system:serviceaccount:${ACCOUNT}:${ACCOUNT}`;
    return cluster.kubectl('auth', 'can-i', ...what, account).then(
      () => true,
      () => false,
    );
  };
  for (const verb of ['get', 'list', 'watch']) assert.equal(await may(verb, 'pods', '-A'), true);
  assert.equal(await may('get', 'nodes'), true);
  assert.equal(await may('get', 'nodes', '--subresource=pods'), true);
  for (const verb of ['create', 'update', 'patch', 'delete'])
    assert.equal(await may(verb, 'pods', '-A'), false);
  for (const what of ['secrets', 'configmaps', 'serviceaccounts'])
    assert.equal(await may('get', what, '-A'), false);
  assert.equal(await may('create', 'pods', '--subresource=exec'), false);
  for (const part of ['proxy', 'log', 'stats'])
    assert.equal(await may('get', 'nodes', `--subresource=${part}`), false);
});

test('every record of a hundred pods that run `true` and end is complete', async (context) => {
  const names = Array.from({ length: 100 }, (_, i) => `true-${i}`);
  await cluster.apply(...names.map((name) => pod(name, [container('main', ['true', name])])));
  const { journal } = recorder.agent;
  const records = await journal.waitFor(
    'every pod',
    () => {
      const found = names.flatMap((name) => journal.withMarker(name));
      return found.length < names.length ? undefined : found;
    },
    300_000,
  );
  const complete = records.filter((record, i) => {
    const { 'k8s.namespace.name': namespace, 'container.image.name': image } = record.resource;
    const place = { pod: names[i], container: 'main', type: 'regular' };
    assert.deepEqual([namespace, image], ['default', 'localhost/test']);
    assert.deepEqual(
      { ...placeOf(record), state: 'any' },
      { ...place, entry: 'start', state: 'any' },
    );
    return record.attributes['vcml.metadata.state'] === 'complete';
  });
  context.diagnostic(`${complete.length} of ${names.length} complete`);
  assert.equal(complete.length, names.length);
  await cluster.kubectl('delete', 'pod', ...names, '--wait=false');
});

test('records have owners, labels and types of containers', async () => {
  const main = [container('main', ['sh', '-c', '/bin/true deployed; sleep 1000'])];
  const init = [
    container('setup', ['true', 'initialised']),
    container('proxy', ['sh', '-c', '/bin/true proxied; sleep 1000'], { restartPolicy: 'Always' }),
  ];
  await cluster.apply(
    workload('Deployment', 'web', { template: template('web', main, { initContainers: init }) }),
    workload('StatefulSet', 'db', {
      serviceName: 'db',
      template: template('db', [container('main', ['sh', '-c', '/bin/true stateful; sleep 1000'])]),
    }),
    workload('DaemonSet', 'log', {
      template: template('log', [container('main', ['sh', '-c', '/bin/true daemon; sleep 1000'])]),
    }),
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: { template: { spec: podSpec([container('main', ['true', 'job'])]) } },
    },
  );
  const types = { deployed: 'regular', initialised: 'init', proxied: 'sidecar' };
  for (const [marker, type] of Object.entries(types)) {
    const record = await recorder.marked(marker);
    const { resource } = record;
    assert.equal(placeOf(record).type, type);
    assert.equal(placeOf(record).state, 'complete');
    assert.equal(resource['k8s.deployment.name'], 'web');
    assert.match(String(resource['k8s.replicaset.name']), /^web-/);
    assert.equal(resource['service.name'], 'web');
    assert.equal(resource['k8s.pod.label.app'], 'web');
    assert.equal(resource['k8s.pod.annotation.owner'], 'ann');
    assert.equal(resource['k8s.cluster.name'], 'e2e');
    assert.equal(resource['k8s.node.name'], NODE_NAME);
  }
  const owners = {
    stateful: ['statefulset', 'db'],
    daemon: ['daemonset', 'log'],
    job: ['job', 'once'],
  };
  for (const [marker, [kind, name]] of Object.entries(owners)) {
    const { resource } = await recorder.marked(marker);
    assert.equal(resource[`k8s.${kind}.name`], name);
    assert.equal(resource['service.name'], name);
  }
});

test('a pod that is created again under its name is another pod, and a restarted container another container', async () => {
  const uids: unknown[] = [];
  for (const marker of ['first-of-name', 'second-of-name']) {
    await cluster.apply(pod('again', [container('main', ['true', marker])]));
    const { resource } = await recorder.marked(marker);
    await waitForPhase(cluster, 'Succeeded', 'again');
    const { metadata } = await cluster.get<PodObject>('pod', 'again');
    assert.equal(resource['k8s.pod.uid'], metadata.uid);
    uids.push(metadata.uid);
    await cluster.kubectl('delete', 'pod', 'again');
  }
  assert.notEqual(uids[0], uids[1]);

  const crash = container('main', ['sh', '-c', '/bin/true crashing; sleep 1; exit 1']);
  await cluster.apply(pod('crash', [crash], { restartPolicy: 'Always' }));
  const records = await recorder.waitFor('a restart', (all) => {
    const starts = all.filter(
      ({ resource, attributes }) =>
        resource['k8s.pod.name'] === 'crash' &&
        resource['k8s.container.name'] === 'main' &&
        attributes['vcml.entry'] === 'start',
    );
    return starts.length > 1 ? starts : undefined;
  });
  assert.notEqual(records[0]?.resource['container.id'], records[1]?.resource['container.id']);
  await cluster.kubectl('delete', 'pod', 'crash');
});

test('kubectl exec, probes and debug containers are entries, and runc does not belong to the pod', async () => {
  const probe = { exec: { command: ['true', 'probed'] }, periodSeconds: 2 };
  const main = container('main', ['sh', '-c', '/bin/true begun; sleep 1000'], {
    livenessProbe: probe,
  });
  await cluster.apply(pod('entered', [main], { shareProcessNamespace: true, hostPID: false }));
  await waitForPhase(cluster, 'Running', 'entered');
  await cluster.kubectl('exec', 'entered', '--', 'sh', '-c', '/bin/true by-exec; exit');
  const image = '--image=localhost/test:e2e';
  const debug = ['debug', 'entered', image, '--image-pull-policy=Never', '--container=look'];
  await cluster.kubectl(...debug, '--', 'true', 'by-debug');

  const place = { pod: 'entered', container: 'main', type: 'regular', state: 'complete' };
  // The probe repeats.
  const probed = await recorder.waitFor('a probe', () =>
    recorder.agent.journal.withMarker('probed').at(0),
  );
  assert.deepEqual(placeOf(probed), { ...place, entry: 'exec' });
  const inner = await recorder.marked('by-exec');
  assert.deepEqual(placeOf(inner), { ...place, entry: undefined });
  const [shell, ...outside] = recorder.chain(inner);
  assert.deepEqual(shell && placeOf(shell), { ...place, entry: 'exec' });
  for (const { resource } of outside) assert.equal(resource['container.id'], undefined);
  const begun = recorder.chain(await recorder.marked('begun'));
  assert.deepEqual(begun[0] && placeOf(begun[0]), { ...place, entry: 'start' });
  const debugged = await recorder.marked('by-debug');
  const look = { ...place, container: 'look', type: 'ephemeral' };
  assert.deepEqual(placeOf(debugged), { ...look, entry: 'start' });
  const { resource } = inner;
  const entered = await cluster.get<PodObject>('pod', 'entered');
  assert.equal(resource['container.id'], containerId(entered, 'main'));
});

test('while the API server is down, names come from the runtime, and the log reports beginning and end once', async (context) => {
  await cluster.component('kube-apiserver').stop('SIGKILL');
  let away = true;
  context.after(() => (away ? cluster.startApiServer() : undefined));
  const file = `${STATIC_PODS}/static.json`;
  writeFileSync(file, JSON.stringify(pod('static', [container('main', ['true', 'alone'])])));
  await recorder.waitFor('the problem', () =>
    recorder.agent.stderr.includes('pod metadata unavailable') ? true : undefined,
  );
  const alone = await recorder.marked('alone');
  const place = { pod: `static-${NODE_NAME}`, container: 'main', entry: 'start' };
  const { type: _, ...found } = placeOf(alone);
  assert.deepEqual(found, { ...place, state: 'partial' });

  await cluster.startApiServer();
  away = false;
  await recorder.waitFor('the end of the problem', () =>
    recorder.agent.stderr.includes('pod metadata available again') ? true : undefined,
  );
  rmSync(file);
  await cluster.apply(pod('healed', [container('main', ['true', 'healed'])]));
  const healed = await recorder.marked('healed');
  assert.deepEqual(placeOf(healed).state, 'complete');
  assert.equal(recorder.agent.stderr.split('pod metadata unavailable').length, 2, 'reported once');
});

test('a restarted agent knows which containers had started', async () => {
  const long = container('main', ['sh', '-c', '/bin/true lasting; sleep 1000']);
  await cluster.apply(pod('lasting', [long]));
  await recorder.marked('lasting');
  await recorder.agent.kill();
  const late = container('main', ['sh', '-c', '/bin/true late; sleep 1000']);
  await cluster.apply(pod('late', [late]));
  await waitForPhase(cluster, 'Running', 'late');
  await recorder.agent.start();
  for (const name of ['lasting', 'late'])
    await cluster.kubectl('exec', name, '--', 'true', `again-${name}`);
  for (const name of ['lasting', 'late']) {
    const [first] = recorder.chain(await recorder.marked(name));
    const place = { pod: name, container: 'main', type: 'regular', state: 'complete' };
    assert.deepEqual(first && placeOf(first), { ...place, entry: 'start' });
    assert.deepEqual(placeOf(await recorder.marked(`again-${name}`)), { ...place, entry: 'exec' });
  }
});

test('the kubelet provides as much as the API server', async () => {
  const kubelet = ['--metadata', 'kubelet', '--kubelet-endpoint', `https://${NODE_ADDRESS}:10250`];
  await recorder.agent.stop();
  await recorder.agent.start(...kubelet);
  await cluster.apply(pod('asked', [container('main', ['true', 'asked'])]));
  const record = await recorder.marked('asked');
  const place = { pod: 'asked', container: 'main', type: 'regular' };
  assert.deepEqual(placeOf(record), { ...place, entry: 'start', state: 'complete' });
});
