import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { Cluster } from './cluster.ts';
import { CGROUP, NODE_NAME, RUNTIME, RUNTIME_STATE } from './place.ts';
import { container, containerId, type PodObject, pod, podSpec, waitForPhase } from './pods.ts';
import { startRecorder } from './recorder.ts';

/** How each runtime appears in cgroups and in chains. */
const { prefix, monitor, comm } = {
  containerd: { prefix: '', monitor: 'containerd-shim-runc-v2', comm: 'containerd' },
  'cri-o': { prefix: 'crio-', monitor: 'conmon', comm: 'crio' },
}[RUNTIME];

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder('--runtime-dirs', RUNTIME_STATE);
after(() => recorder[Symbol.asyncDispose]());

test('an exec in a container is recorded with the container’s cgroup', async () => {
  await cluster.apply(pod('short', [container('main', ['true', 'short'])]));
  await waitForPhase(cluster, 'Succeeded', 'short');
  const { object, resource, attributes } = await recorder.marked('short');
  const short = await cluster.get<PodObject>('pod', 'short');
  const { uid } = short.metadata;
  assert.equal(object, '/bin/true');
  assert.equal(attributes['process.executable.path'], '/bin/busybox');
  assert.equal(attributes['process.vpid'], 1);
  assert.equal(resource['k8s.node.name'] ?? resource['host.name'], NODE_NAME);
  assert.equal(
    String(attributes['process.linux.cgroup']).split(':').at(-1),
    `/${CGROUP}/kubepods/besteffort/pod${uid}/${prefix}${containerId(short, 'main')}`,
  );
});

test('a pod’s first process leads back through runc and its monitor to the runtime', async () => {
  const causes = recorder.chain(await recorder.marked('short'));
  const names = causes.map(({ attributes }) => attributes['process.executable.name']);
  for (const name of ['runc', monitor]) assert.ok(names.includes(name), `no ${name} in ${names}`);
  const first = causes.at(-1);
  assert.equal(first?.attributes['vcml.gap.reason'], 'predates_hook');
  assert.equal(first?.attributes['vcml.gap.ancestor.pid'], cluster.component(RUNTIME).pid);
  assert.equal(first?.attributes['vcml.gap.ancestor.comm'], comm);
});

test('a kubectl exec is recorded in its container', async () => {
  await cluster.apply(pod('long', [container('main', ['sleep', '1000'])]));
  await waitForPhase(cluster, 'Running', 'long');
  await cluster.kubectl('exec', 'long', '--', 'sh', '-c', '/bin/true inner; exit');
  const inner = await recorder.marked('inner');
  const long = await cluster.get<PodObject>('pod', 'long');
  const cgroup = String(inner.attributes['process.linux.cgroup']);
  assert.ok(cgroup.endsWith(`/${prefix}${containerId(long, 'main')}`), cgroup);
  const [shell, ...outside] = recorder.chain(inner);
  assert.equal(shell?.object, '/bin/sh');
  assert.equal(shell?.attributes['process.linux.cgroup'], cgroup);
  assert.ok(outside.some(({ attributes }) => attributes['process.executable.name'] === 'runc'));
});

/** What the runtimes write into their own files, as a pod can set it. */
const FORGED = {
  'io.kubernetes.pod.namespace': 'kube-system',
  'io.kubernetes.pod.name': 'other',
  'io.kubernetes.pod.uid': '00000000-aaaa-4bbb-8ccc-000000000000',
  'io.kubernetes.container.name': 'other',
  'io.kubernetes.cri.container-type': 'sandbox',
  'io.kubernetes.cri.container-name': 'other',
  'io.kubernetes.cri.image-name': 'other',
  'io.kubernetes.cri.sandbox-name': 'other',
  'io.kubernetes.cri.sandbox-namespace': 'kube-system',
  'io.kubernetes.cri-o.ContainerType': 'sandbox',
  'io.kubernetes.cri-o.ImageName': 'other',
};

test('the names in the files of the runtime are those of the kubelet, whatever the pod says', async () => {
  const spec = podSpec([container('main', ['true', 'forger'])], { shareProcessNamespace: true });
  const metadata = { name: 'forger', annotations: FORGED, labels: FORGED };
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
  const record = await recorder.marked('forger');
  const { uid } = (await cluster.get<PodObject>('pod', 'forger')).metadata;
  const cgroup = ({ attributes }: JournalLine) => String(attributes['process.linux.cgroup']);
  const pause = await recorder.waitFor('the sandbox', (records) =>
    records.find((one) => one.object === '/pause' && cgroup(one).includes(uid)),
  );
  const names = ({ resource }: JournalLine) =>
    ['namespace', 'pod', 'container'].map((kind) => resource[`k8s.${kind}.name`]);
  assert.deepEqual(names(record), ['default', 'forger', 'main']);
  assert.deepEqual(names(pause), ['default', 'forger', undefined]);
  assert.equal(record.resource['k8s.pod.uid'], uid);
  assert.equal(pause.resource['k8s.pod.uid'], uid);
  assert.equal(record.resource['container.image.name'], 'localhost/test');
});
