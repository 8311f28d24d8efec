import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkJournal } from '../check/check.ts';
import type { JournalLine } from '../support/journal/followed-journal.ts';
import { metadataFlags } from './access.ts';
import { Cluster } from './cluster.ts';
import { DIR, NODE_NAME, STATIC_PODS } from './place.ts';
import { assertPlaced } from './placed.ts';
import { container, type PodObject, pod } from './pods.ts';
import { startRecorder } from './recorder.ts';

/** An outage in which a client retries more than once, and after which its watch has expired. */
const OUTAGE_MS = 60_000;

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

/** The names of all pods that ever existed, by uid. */
const names = new Map<string, string>();

async function notePods(): Promise<void> {
  const { items } = await cluster.get<{ items: readonly PodObject[] }>('pods', '--all-namespaces');
  for (const { metadata } of items) names.set(metadata.uid, metadata.name);
}

function stateOf({ attributes }: JournalLine): unknown {
  return attributes['vcml.metadata.state'];
}

test('without the API server, names come from the runtime’s files', async () => {
  const command = ['sh', '-c', '/bin/true beat; sleep 3; exit 1'];
  await cluster.apply(pod('beating', [container('main', command)], { restartPolicy: 'Always' }));
  await recorder.waitFor('beat', () => recorder.agent.journal.withMarker('beat')[0]);
  await notePods();
  const apiServer = cluster.component('kube-apiserver');
  await apiServer.stop('SIGKILL');
  const stopped = Date.now();
  startStaticPod('alone', ['true', 'alone']);
  const alone = await recorder.marked('alone');
  assert.equal(alone.resource['k8s.pod.name'], `alone-${NODE_NAME}`);
  assert.equal(alone.resource['k8s.container.name'], 'main');
  assert.equal(alone.resource['container.image.name'], 'localhost/test');

  await recorder.agent.stop();
  startStaticPod('unwatched', ['sh', '-c', '/bin/true unwatched; exec sleep 1000']);
  startStaticPod('missed', ['true', 'missed']);
  await recorder.agent.start();
  const unwatched = await recorder.marked('unwatched');
  assert.equal(unwatched.resource['k8s.pod.name'], `unwatched-${NODE_NAME}`);
  assert.equal(stateOf(unwatched), 'partial');
  // Its files may already be deleted; then only its cgroup is known.
  const missed = await recorder.marked('missed');
  assert.match(String(missed.resource['container.id']), /^[0-9a-f]{64}$/);

  await sleep(Math.max(0, stopped + OUTAGE_MS - Date.now()));
  await cluster.startApiServer();
});

/** Creates a static pod, which the kubelet reads from a folder, with or without an API server. */
function startStaticPod(name: string, command: readonly string[]): void {
  const file = `${DIR}/${name}.json`;
  writeFileSync(file, JSON.stringify(pod(name, [container('main', command)])));
  renameSync(file, `${STATIC_PODS}/${name}.json`);
}

test('when the API server returns, records are complete again, and the log says so', async () => {
  await recorder.waitFor('a word of the return', () =>
    /metadata.*again|again.*metadata/i.test(recorder.agent.stderr) ? true : undefined,
  );
  await cluster.apply(pod('healed', [container('main', ['true', 'healed'])]));
  const healed = await recorder.marked('healed');
  assert.equal(healed.resource['k8s.pod.name'], 'healed');
  assert.equal(stateOf(healed), 'complete');
});

test('a watch that breaks repeatedly costs no record and no name', async (t) => {
  for (const round of [1, 2, 3]) {
    const name = `churn-${round}`;
    await cluster.apply(pod(name, [container('main', ['true', name])]));
    await cluster.component('kube-apiserver').stop('SIGKILL');
    await cluster.startApiServer();
    const record = await recorder.marked(name);
    assert.equal(record.resource['k8s.pod.name'], name);
    t.diagnostic(`${name}: ${stateOf(record)}`);
    await notePods();
  }
});

test('every record of a container names it, none names another, and the journal is sound', async () => {
  await notePods();
  assertPlaced(recorder.agent.records(), names);
  assert.deepEqual(checkJournal(recorder.agent.journal.lines, { allowRetention: false }), []);
});

test('the log has one line when metadata is unavailable, and one when it is available again', async () => {
  const lines = await recorder.waitFor('the word of the last return', () => {
    const all = recorder.agent.stderr.split('\n').filter((line) => line.includes('"metadata":'));
    return all.at(-1)?.includes('"event":"metadata.available"') ? all : undefined;
  });
  const again = lines.filter((line, at) => isWarning(line) && isWarning(lines[at - 1] ?? ''));
  // The agent's second run began while the API server was down.
  assert.equal(again.length, 1, lines.join('\n'));
});

function isWarning(line: string): boolean {
  return line.includes('"level":"warn"');
}
