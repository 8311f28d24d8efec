import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_IMAGES, NEXT_TAG } from '../agent-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { run } from '../network.ts';
import { NODE_NAME, RUNTIME } from '../place.ts';
import { container, pod, podSpec, waitForPhase } from '../pods.ts';
import { CHART, Release, set } from './release.ts';
import { endStorm, startStorm } from './storm.ts';

const mountsBefore = mounts();
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
await cluster.importImages(AGENT_IMAGES);
const release = new Release(cluster, 'helm');

test('helm install starts an agent on the node', async () => {
  const notes = await release.install('collector.enabled=true');
  assert.match(notes, /helm .* test vcml-agent --logs/);
  const inAgent = ['exec', 'daemonset/vcml-agent', '--'];
  assert.match(await release.kubectl(...inAgent, 'vcml-agent', 'status'), /hook/);
  assertSound(await release.kubectl(...inAgent, 'vcml-agent', 'status', '--check'));
  const filtered = /^Seccomp:\t2$/m;
  assert.match(await release.kubectl(...inAgent, 'cat', '/proc/self/status'), filtered);
});

test('the collector receives what pods execute, with pod and chain, as in the journal', async () => {
  const labels = { app: 'shop' };
  const shop = container('main', ['sh', '-c', '/bin/true in-deployment; exec sleep 1000']);
  const job = podSpec([container('main', ['true', 'in-cronjob'])]);
  await cluster.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [shop] } },
      },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: { spec: job } } } },
    },
  );
  await cluster.kubectl('rollout', 'status', 'deployment/shop', '--timeout=3m');
  await cluster.kubectl('create', 'job', '--from=cronjob/nightly', 'nightly-1');
  await cluster.kubectl('exec', 'deployment/shop', '--', 'sh', '-c', '/bin/true in-exec; exit');
  const deployed = await release.marked('in-deployment');
  assert.equal(deployed.resource['k8s.deployment.name'], 'shop');
  assert.equal(deployed.resource['k8s.node.name'], NODE_NAME);
  const nightly = await release.marked('in-cronjob');
  assert.equal(nightly.resource['k8s.job.name'], 'nightly-1');
  const inner = await release.marked('in-exec');
  assert.equal(inner.resource['k8s.pod.name'], deployed.resource['k8s.pod.name']);
  const cause = release.journal.records.find(({ id }) => id === inner.parent_cause);
  assert.equal(cause?.attributes['vcml.entry'], 'exec');
  await release.assertReceived();
});

test('helm test passes, and finds nothing wrong with the node', async () => {
  const output = await release.test();
  assert.match(output, /PASSED; the receiver has acknowledged it/);
  assertSound(output);
});

/** Asserts that every check of the node is among these lines, and none fails. */
function assertSound(output: string): void {
  const names =
    'configuration node kernel BTF bpffs capabilities processes hook cgroups runtime API collector'.split(
      ' ',
    );
  for (const name of names) assert.match(output, new RegExp(`^ok +${name} `, 'm'));
  assert.doesNotMatch(output, /^failed /m);
}

test('a pod that fills both ports of the agent with idle connections keeps no probe out', async () => {
  const address = await release.kubectl(
    'get',
    'pods',
    '--selector=app.kubernetes.io/component=agent',
    '--output=jsonpath={.items[*].status.podIP}',
  );
  // A probe that fails is an event.
  const unhealthy = ['events', '--field-selector=reason=Unhealthy'];
  const failures = () =>
    release.kubectl('get', ...unhealthy, '--output=jsonpath={.items[*].count}');
  const before = await failures();
  const flood = ['/programs/hold', address, '0', '500', '9469', '9470'];
  await cluster.apply(pod('flood', [container('main', flood)]));
  await waitForPhase(cluster, 'Running', 'flood');
  await sleep(20_000); // four readiness probes and two liveness probes
  assert.equal(await failures(), before);
  const status = ['get', 'daemonset', 'vcml-agent', '--output=jsonpath={.status.numberReady}'];
  assert.equal(await release.kubectl(...status), '1');
  await cluster.kubectl('delete', 'pod', 'flood', '--grace-period=0', '--force');
});

test('a collector that stops and returns has missed nothing', async () => {
  const scale = (replicas: number) =>
    release.kubectl('scale', 'deployment/vcml-agent-collector', `--replicas=${replicas}`);
  const word = 'records are held in the journal';
  const words = async () => (await release.log()).split(word).length;
  const before = await words();
  await scale(0);
  await release.kubectl(
    'wait',
    '--for=delete',
    'pod',
    '--timeout=2m',
    '--selector=app.kubernetes.io/component=collector',
  );
  // The last records that it received were deleted with its pod.
  const lost = release.journal.read().length;
  await cluster.kubectl('exec', 'deployment/shop', '--', 'true', 'without-collector');
  await release.marked('without-collector');
  await eventually('a word about it', async () => (await words()) > before || undefined);
  const ready = '--output=jsonpath={.status.numberReady}';
  assert.equal(await release.kubectl('get', 'daemonset', 'vcml-agent', ready), '1');
  await scale(1);
  await release.assertReceived(lost);
});

test('upgrades, rollbacks and killed pods miss nothing during a storm', async () => {
  await startStorm(cluster);
  await release.install('collector.enabled=true', `image.tag=${NEXT_TAG}`);
  await release.install('collector.enabled=true');
  await release.replaceKilledAgent();
  const runtime = cluster.component(RUNTIME);
  await runtime.stop();
  runtime.start();
  await endStorm(cluster, release);
});

test('the API server accepts every field of every manifest', async () => {
  const all = [
    'collector.enabled=true',
    'networkPolicy.enabled=true',
    'dashboard.enabled=true',
    'priorityClass.create=true',
  ];
  const rendered = await release.run('template', 'other', CHART, ...set(all));
  // A pod, unlike a DaemonSet, is refused while its account does not exist.
  await release.kubectl('create', 'serviceaccount', 'other-vcml-agent');
  await run(
    ['kubectl', 'apply', '--dry-run=server', '--validate=strict', '--filename=-'],
    rendered,
  );
  await release.kubectl('delete', 'serviceaccount', 'other-vcml-agent');
});

test('helm uninstall leaves only the journal', async () => {
  await eventually('an agent that knows what it belongs to', async () =>
    (await release.log()).includes(
      'watching the DaemonSet; the hook is detached when the DaemonSet is deleted',
    )
      ? true
      : undefined,
  );
  const programs = release.programs();
  assert.ok(programs.length > 0);
  await release.uninstall();
  await release.assertGone(programs);
  const last = await release.journal.waitFor('the end', (records) =>
    records.findLast(({ action }) => action === 'journal.stop'),
  );
  assert.equal(last?.attributes['vcml.hook.state'], 'detached');
  assert.deepEqual(
    mounts().filter((mount) => !mountsBefore.includes(mount) && mount.includes('vcml-agent')),
    [],
  );
});

function mounts(): string[] {
  return readFileSync('/proc/mounts', 'utf8').split('\n');
}
