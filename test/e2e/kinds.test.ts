import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { metadataFlags } from './access.ts';
import { Cluster, type Manifest } from './cluster.ts';
import { DIR, NODE_NAME, RUNTIME, STATIC_PODS } from './place.ts';
import { container, containerId, type PodObject, pod, podSpec, waitForPhase } from './pods.ts';
import { startRecorder } from './recorder.ts';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

const FOREVER = ['sleep', '1000'];

/** Returns a container that executes a command with its name and then waits. */
function waiting(name: string, marker: string, more: Manifest = {}): Manifest {
  return container(name, ['sh', '-c', `/bin/true ${marker}; exec sleep 1000`], more);
}

interface Expected {
  readonly pod: string;
  readonly container?: string;
  readonly type?: string;
  readonly entry?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

function assertRecorded(record: JournalLine, expected: Expected): void {
  const { resource, attributes } = record;
  const { pod: name, container: inside = 'main', type = 'regular', entry, more = {} } = expected;
  const found = { ...resource, ...attributes };
  const wanted: Record<string, unknown> = {
    'k8s.node.name': NODE_NAME,
    'k8s.namespace.name': 'default',
    'k8s.pod.name': name,
    'k8s.container.name': inside,
    'container.image.name': 'localhost/test',
    'container.image.tags': ['e2e'],
    'container.runtime.name': RUNTIME,
    'vcml.container.type': type,
    'vcml.metadata.state': 'complete',
    'vcml.entry': entry,
    ...more,
  };
  const looked = Object.fromEntries(Object.keys(wanted).map((key) => [key, found[key]]));
  assert.deepEqual(looked, wanted);
  assert.match(String(resource['container.id']), /^[0-9a-f]{64}$/);
}

// A CronJob is due at the next full minute, while the other cases run.
await cluster.apply({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'clock' },
  spec: {
    schedule: '* * * * *',
    concurrencyPolicy: 'Forbid',
    jobTemplate: {
      spec: { template: { spec: podSpec([container('main', ['true', 'every-minute'])]) } },
    },
  },
});

test('every record of a pod that runs true and ends names the pod', async () => {
  await cluster.apply(pod('short', [container('main', ['true', 'short'])]));
  const record = await recorder.marked('short');
  assertRecorded(record, { pod: 'short', entry: 'start' });
  await waitForPhase(cluster, 'Succeeded', 'short');
  const short = await cluster.get<PodObject>('pod', 'short');
  assert.equal(record.resource['k8s.pod.uid'], short.metadata.uid);
  assert.equal(record.resource['container.id'], containerId(short, 'main'));
});

test('shim and runc do not belong to the pod', async () => {
  const causes = recorder.chain(await recorder.marked('short'));
  assert.ok(causes.length >= 2);
  for (const { object, resource, attributes } of causes) {
    assert.equal(resource['k8s.pod.name'], undefined, object);
    assert.equal(resource['container.id'], undefined, object);
    assert.equal(attributes['vcml.entry'], undefined, object);
  }
});

test('kubectl exec is an entry, and what it starts is not', async () => {
  await cluster.apply(pod('long', [container('main', FOREVER)]));
  await waitForPhase(cluster, 'Running', 'long');
  await cluster.kubectl('exec', 'long', '--', 'sh', '-c', '/bin/true inner; exit');
  const inner = await recorder.marked('inner');
  assertRecorded(inner, { pod: 'long' });
  const [shell] = recorder.chain(inner);
  assert.ok(shell !== undefined);
  assertRecorded(shell, { pod: 'long', entry: 'exec' });
});

test('an exec probe is an entry', async () => {
  const livenessProbe = { exec: { command: ['true', 'probe'] }, periodSeconds: 1 };
  await cluster.apply(pod('probed', [container('main', FOREVER, { livenessProbe })]));
  const record = await recorder.waitFor(
    'probe',
    () => recorder.agent.journal.withMarker('probe')[0],
  );
  assertRecorded(record, { pod: 'probed', entry: 'exec' });
});

test('init containers, native sidecars and ephemeral containers have their own types', async () => {
  const initContainers = [
    waiting('helper', 'sidecar', { restartPolicy: 'Always' }),
    container('prepare', ['true', 'initial']),
  ];
  await cluster.apply(pod('many', [waiting('main', 'regular')], { initContainers }));
  await waitForPhase(cluster, 'Running', 'many');
  const debug = ['--image=localhost/test:e2e', '--container=look', '--profile=general'];
  await cluster.kubectl('debug', 'many', ...debug, '--', 'true', 'ephemeral');
  const init = await recorder.marked('initial');
  assertRecorded(init, { pod: 'many', container: 'prepare', type: 'init', entry: 'start' });
  const sidecar = await recorder.marked('sidecar');
  assertRecorded(sidecar, { pod: 'many', container: 'helper', type: 'sidecar' });
  assertRecorded(await recorder.marked('regular'), { pod: 'many' });
  const ephemeral = await recorder.marked('ephemeral');
  assertRecorded(ephemeral, { pod: 'many', container: 'look', type: 'ephemeral', entry: 'start' });
});

test('a pod of a Deployment, a StatefulSet or a DaemonSet names its owner', async () => {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'];
  await cluster.apply(...kinds.map((kind) => workload(kind)));
  for (const kind of kinds) {
    const owner = kind.toLowerCase();
    const record = await recorder.marked(`of-${owner}`);
    const [name] = await podsOf(owner);
    const more = { [`k8s.${owner}.name`]: owner };
    assertRecorded(record, { pod: name ?? '', more });
  }
});

function workload(kind: string): Manifest {
  const name = kind.toLowerCase();
  const labels = { app: name };
  const spec = { restartPolicy: 'Always' };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec([waiting('main', `of-${name}`)], spec),
      },
    },
  };
}

async function podsOf(app: string): Promise<string[]> {
  const names = await cluster.kubectl('get', 'pods', `--selector=app=${app}`, '--output=name');
  return names
    .trim()
    .split('\n')
    .map((name) => name.replace('pod/', ''));
}

test('a static pod has the name of its mirror pod and the uid of its cgroup', async () => {
  const manifest = pod('static', [waiting('main', 'static')]);
  writeFileSync(`${DIR}/static.json`, JSON.stringify(manifest));
  renameSync(`${DIR}/static.json`, `${STATIC_PODS}/static.json`);
  const record = await recorder.marked('static');
  assertRecorded(record, { pod: `static-${NODE_NAME}` });
  const cgroup = String(record.attributes['process.linux.cgroup']);
  assert.ok(cgroup.includes(`/pod${record.resource['k8s.pod.uid']}/`), cgroup);
  rmSync(`${STATIC_PODS}/static.json`);
});

test('hostPID and privileged pods are recorded like others', async () => {
  await cluster.apply(
    pod('host-pid', [container('main', ['true', 'host-pid'])], { hostPID: true }),
    pod('strong', [
      container('main', ['true', 'strong'], { securityContext: { privileged: true } }),
    ]),
  );
  const hostPid = await recorder.marked('host-pid');
  assertRecorded(hostPid, { pod: 'host-pid', entry: 'start' });
  assert.equal(hostPid.attributes['process.vpid'], hostPid.actor.pid);
  assertRecorded(await recorder.marked('strong'), { pod: 'strong', entry: 'start' });
});

test('containers that share their processes are distinguished', async () => {
  const containers = ['one', 'two'].map((name) => container(name, ['true', `shared-${name}`]));
  await cluster.apply(pod('shared', containers, { shareProcessNamespace: true }));
  for (const name of ['one', 'two']) {
    const record = await recorder.marked(`shared-${name}`);
    assertRecorded(record, { pod: 'shared', container: name, entry: 'start' });
  }
});

test('a restarted container is another container', async () => {
  const command = ['sh', '-c', '/bin/true crash; exit 1'];
  await cluster.apply(pod('crash', [container('main', command)], { restartPolicy: 'Always' }));
  const [first, second] = await recorder.waitFor('a second start', () => {
    const found = recorder.agent.journal.withMarker('crash');
    return found.length < 2 ? undefined : found;
  });
  assert.ok(first !== undefined && second !== undefined);
  for (const record of [first, second]) assertRecorded(record, { pod: 'crash' });
  assert.notEqual(first.resource['container.id'], second.resource['container.id']);
  assert.equal(first.resource['k8s.pod.uid'], second.resource['k8s.pod.uid']);
});

test('a pod that is created again under the same name is another pod', async () => {
  const uids: unknown[] = [];
  for (const life of ['first', 'second']) {
    await cluster.apply(pod('phoenix', [container('main', ['true', `${life}-life`])]));
    const { metadata } = await cluster.get<PodObject>('pod', 'phoenix');
    const record = await recorder.marked(`${life}-life`);
    assertRecorded(record, {
      pod: 'phoenix',
      entry: 'start',
      more: { 'k8s.pod.uid': metadata.uid },
    });
    uids.push(metadata.uid);
    await cluster.kubectl('delete', 'pod', 'phoenix', '--force', '--grace-period=0');
  }
  assert.notEqual(uids[0], uids[1]);
});

test('a pod of a CronJob names its owner', async () => {
  const record = await recorder.waitFor(
    'every-minute',
    () => recorder.agent.journal.withMarker('every-minute')[0],
  );
  const { resource } = record;
  const job = String(resource['k8s.job.name']);
  const pod = String(resource['k8s.pod.name']);
  assert.match(job, /^clock-\d+$/);
  assert.ok(pod.startsWith(`${job}-`), pod);
  assertRecorded(record, { pod, entry: 'start', more: { 'k8s.cronjob.name': 'clock' } });
});
