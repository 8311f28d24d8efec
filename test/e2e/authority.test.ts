import { deepEqual, equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { metadataFlags } from './access.ts';
import { Cluster, type Manifest } from './cluster.ts';
import { eventually } from './eventually.ts';
import { authorityOf } from './judge-chains.ts';
import { inNetwork, run } from './network.ts';
import { DIR, NODE_NAME, RUNTIME, RUNTIME_SOCKET } from './place.ts';
import { container, containerId, type PodObject, pod, podSpec } from './pods.ts';
import { startRecorder } from './recorder.ts';

const FOREVER = 'exec sleep 1000';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

await cluster.apply(cart());
await cluster.kubectl('rollout', 'status', 'deployment/cart');
const { items } = await cluster.get<{ items: [PodObject] }>('pods', '--selector=app=cart');
const [cartPod] = items;
const { name, uid } = cartPod.metadata;
const OF_POD = {
  type: 'pod',
  id: uid,
  controller: [`ReplicaSet/${name.slice(0, name.lastIndexOf('-'))}`, 'Deployment/cart'],
  service_account: 'default',
};

test('a pod permits the start of each of its containers', async () => {
  for (const marker of ['main', 'prepared', 'beside']) {
    const entry = entryOf(await recorder.marked(marker));
    equal(entry.attributes['vcml.entry'], 'start');
    deepEqual(authorityOf(entry), OF_POD);
  }
});

test('a probe and a handler are known by their commands', async () => {
  const matched = { matched: true };
  deepEqual(authorityOf(await firstMarked('alive')), { type: 'probe', id: 'liveness', ...matched });
  deepEqual(authorityOf(await firstMarked('ready')), {
    type: 'probe',
    id: 'readiness',
    ...matched,
  });
  deepEqual(authorityOf(await recorder.marked('begun')), {
    type: 'lifecycle',
    id: 'post_start',
    ...matched,
  });
});

test('an exec of a person has no authority, because its request has no id', async () => {
  await cluster.kubectl('exec', name, '--container=main', '--', 'true', 'by-hand');
  const record = await recorder.marked('by-hand');
  equal(record.attributes['vcml.entry'], 'exec');
  deepEqual(authorityOf(record), {});
});

test('crictl exec has no authority, and its chain leads to the runtime', async () => {
  const socket = `--runtime-endpoint=unix://${RUNTIME_SOCKET}`;
  await run(['crictl', socket, 'exec', containerId(cartPod, 'main'), 'true', 'by-crictl']);
  const record = await recorder.marked('by-crictl');
  equal(record.attributes['vcml.entry'], 'exec');
  deepEqual(authorityOf(record), {});
  const first = recorder.chain(record).at(-1);
  equal(first?.attributes['vcml.gap.ancestor.pid'], cluster.component(RUNTIME).pid);
});

test('kubectl cp is an exec of tar', async () => {
  await cluster.kubectl('cp', '--container=main', `${name}:tmp/parcel`, `${DIR}/parcel`);
  const record = await recorder.marked('cf - tmp/parcel');
  equal(record.object, '/bin/tar');
  equal(record.attributes['vcml.entry'], 'exec');
  deepEqual(authorityOf(record), {});
});

test('kubectl port-forward is no entry: the pod permitted what serves the port', async () => {
  const [command = '', ...args] = inNetwork(['kubectl', 'port-forward', name, '18000:8000']);
  const forward = spawn(command, args, { stdio: 'ignore' });
  try {
    await eventually('an answer at the forwarded port', async () =>
      run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/18000; cat <&3']),
    );
  } finally {
    forward.kill();
  }
  deepEqual(authorityOf(entryOf(await firstMarked('forwarded'))), OF_POD);
});

test('kubectl debug of a node is a pod, and what it runs with chroot stays in its container', async () => {
  const debug = ['--image=localhost/test:e2e', '--profile=sysadmin'];
  const command = ['chroot', '/host', '/bin/true', 'debugging-the-node'];
  await cluster.kubectl('debug', `node/${NODE_NAME}`, ...debug, '--', ...command);
  const record = await recorder.marked('debugging-the-node');
  const debugger_ = String(record.resource['k8s.pod.name']);
  match(debugger_, /^node-debugger-/);
  const { metadata } = await cluster.get<PodObject>('pod', debugger_);
  const entry = entryOf(record);
  equal(entry.attributes['vcml.entry'], 'start');
  deepEqual(authorityOf(entry), { type: 'pod', id: metadata.uid, service_account: 'default' });
  await cluster.kubectl('delete', 'pod', debugger_);
});

test('a sandbox is permitted by its pod', async () => {
  const waits = container('main', ['sh', '-c', FOREVER]);
  await cluster.apply(pod('shared', [waits], { shareProcessNamespace: true }));
  const pause = await recorder.waitFor('the sandbox', (records) =>
    records.find((one) => one.object === '/pause' && one.resource['k8s.pod.name'] === 'shared'),
  );
  const { metadata } = await cluster.get<PodObject>('pod', 'shared');
  equal(pause.attributes['vcml.entry'], 'start');
  equal(authorityOf(pause).id, metadata.uid);
  await cluster.kubectl('delete', 'pod', 'shared');
});

test('an ephemeral container is not one of the controller', async () => {
  const debug = ['--image=localhost/test:e2e', '--container=debugger', '--profile=general'];
  await cluster.kubectl('debug', name, ...debug, '--', 'true', 'debugging');
  const { controller: _, ...others } = OF_POD;
  deepEqual(authorityOf(await recorder.marked('debugging')), others);
});

test('every chain of the pod begins with an authority', async () => {
  await cluster.kubectl('delete', 'deployment', 'cart', '--cascade=foreground');
  const records = recorder.agent.records();
  const byId = new Map(records.map((record) => [record.id, record]));
  const isEntered = (record: JournalLine | undefined): boolean => {
    if (record === undefined) return false;
    if (record.attributes['vcml.entry'] !== undefined)
      return (
        record.attributes['vcml.authority.type'] !== undefined ||
        record.attributes['vcml.entry'] === 'exec'
      );
    return isEntered(byId.get(record.parent_cause ?? ''));
  };
  const inside = records.filter(
    ({ action, resource }) => action === 'exec' && resource['k8s.pod.name'] === name,
  );
  deepEqual(
    inside.filter((record) => !isEntered(record)),
    [],
  );
});

/** Returns the entry into the container from which a record's chain comes. */
function entryOf(record: JournalLine): JournalLine {
  const chain = [record, ...recorder.chain(record)];
  const entry = chain.find(({ attributes }) => attributes['vcml.entry'] !== undefined);
  if (entry === undefined) throw new Error(`the chain of ${record.id} has no entry`);
  return entry;
}

/** Waits for the first exec with a marker that comes again and again. */
function firstMarked(marker: string): Promise<JournalLine> {
  return recorder.waitFor(marker, () => recorder.agent.journal.withMarker(marker)[0]);
}

function cart(): Manifest {
  const labels = { app: 'cart' };
  const probe = (marker: string) => ({ exec: { command: ['true', marker] }, periodSeconds: 1 });
  const serve = 'nc -ll -p 8000 -e /bin/true forwarded';
  const script = `/bin/true main; touch /tmp/parcel; ${serve} & ${FOREVER}`;
  const main = container('main', ['sh', '-c', script], {
    livenessProbe: probe('alive'),
    readinessProbe: probe('ready'),
    lifecycle: { postStart: { exec: { command: ['true', 'begun'] } } },
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cart' },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec([main], {
          restartPolicy: 'Always',
          initContainers: [
            container('prepare', ['true', 'prepared']),
            container('helper', ['sh', '-c', `/bin/true beside; ${FOREVER}`], {
              restartPolicy: 'Always',
            }),
          ],
        }),
      },
    },
  };
}
