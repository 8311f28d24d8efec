import { deepEqual, equal } from 'node:assert/strict';
import { after, test } from 'node:test';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { metadataFlags } from './access.ts';
import { Cluster, type Manifest } from './cluster.ts';
import { authorityOf } from './judge-chains.ts';
import { container, type PodObject, podSpec } from './pods.ts';
import { startRecorder } from './recorder.ts';

const FOREVER = 'exec sleep 1000';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

await cluster.apply(cart());
await cluster.kubectl('rollout', 'status', 'deployment/cart');
const { items } = await cluster.get<{ items: PodObject[] }>('pods', '--selector=app=cart');
const { name, uid } = items[0]?.metadata ?? { name: '', uid: '' };
const OF_POD = {
  type: 'pod',
  id: uid,
  controller: [`ReplicaSet/${name.slice(0, name.lastIndexOf('-'))}`, 'Deployment/cart'],
  service_account: 'default',
};

test('a pod permits the start of each of its containers', async () => {
  for (const marker of ['main', 'prepared']) {
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
  const main = container('main', ['sh', '-c', `/bin/true main; ${FOREVER}`], {
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
          initContainers: [container('prepare', ['true', 'prepared'])],
        }),
      },
    },
  };
}
