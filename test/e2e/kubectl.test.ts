import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../support/paths.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AGENT_IMAGES } from './agent-image.ts';
import { writeKubeConfig } from './certificates.ts';
import { Cluster } from './cluster.ts';
import { Release } from './helm/release.ts';
import { run } from './network.ts';
import { NODE_NAME } from './place.ts';
import { container, pod, waitForPhase } from './pods.ts';

const LOOP =
  'n=0; while [ $n -lt 30 ]; do n=$((n+1)); /bin/true inner $n; done; /bin/true last; exit';

const errorFile = join(temporaryFolder(), 'errors');
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
await cluster.importImages(AGENT_IMAGES);
const release = new Release(cluster, 'helm');
await release.install();
await cluster.apply(
  pod('asked', [container('main', ['sh', '-c', LOOP])]),
  pod('other', [container('main', ['true', 'other'])]),
);
await waitForPhase(cluster, 'Succeeded', 'asked', 'other');
const last = await release.marked('last');
await release.marked('other');

/** Runs the plug-in as kubectl finds it; returns its exit code and what it prints. */
async function ask(...args: readonly string[]) {
  const script = 'PATH="$0:$PATH"; errors=$1; shift; kubectl vcml "$@" 2>"$errors"; echo "$?"';
  const output = await run(['sh', '-c', script, join(ROOT, 'bin'), errorFile, ...args]);
  const lines = output.trimEnd().split('\n');
  const exitCode = Number(lines.pop());
  return { exitCode, lines, errors: readFileSync(errorFile, 'utf8') };
}

const ANSWERED = 'vcml: 1 of 1 node answered\n';
const COMPLETE = /^(vcml: 1 of 1 node answered\n)?vcml: complete: 1 of 1 node\n$/;
const NOT_JUDGED =
  `${ANSWERED}vcml: complete: not judged, because agents sent only what was asked for; ` +
  '`kubectl vcml gaps --since TIME` judges a time\n';
/** The cluster is younger than an hour, and so is its journal. */
const LATER = /vcml: complete: 0 of 1 node; 1 that begin later than asked: \S+ \(at \S+\)\n$/;

test('kubectl vcml query prints the records of a pod as the journal has them', async () => {
  const selection = ['--since', '1h', '--pod', 'default/asked'];
  const { exitCode, lines, errors } = await ask('query', ...selection, '--output', 'jsonl');
  assert.deepEqual([exitCode, errors], [0, NOT_JUDGED]);
  release.journal.read();
  const written = release.journal.lines.filter((line) => line.includes('"k8s.pod.name":"asked"'));
  assert.deepEqual(lines, written);
  assert.ok(lines.length > 30);
});

test('kubectl vcml chain and tree find a record by the beginning of its id', async () => {
  const chain = await ask('chain', last.id.slice(0, 8), '--output', 'jsonl');
  assert.deepEqual([chain.exitCode, chain.errors], [0, NOT_JUDGED]);
  const ids = chain.lines.map((line) => JSON.parse(line).id);
  assert.deepEqual(ids.slice(0, 2), [last.id, last.parent_cause]);
  const tree = await ask('tree', last.parent_cause ?? '', '--output', 'jsonl');
  assert.equal(tree.exitCode, 0);
  assert.equal(tree.lines.length, 32);
});

test('kubectl vcml gaps and stats read the records of a time', async () => {
  const gaps = await ask('gaps', '--since', '1h');
  assert.equal(gaps.exitCode, 0);
  assert.match(gaps.errors, LATER);
  assert.match(gaps.lines.join('\n'), /predates_hook/);
  const stats = await ask('stats', '--since', '1h', '--node', NODE_NAME);
  assert.match(stats.lines.join('\n'), /asked/);
});

test('kubectl vcml says that nothing matches, and refuses to read everything by mistake', async () => {
  const none = await ask('query', '--since', '1h', '--exe', '/no/such', '--output', 'jsonl');
  assert.deepEqual([none.exitCode, none.lines], [0, []]);
  assert.match(none.errors, LATER);
  assert.equal((await ask('query', '--pod', 'asked')).exitCode, 64);
});

test('kubectl vcml names nodes that do not answer, and answers from the others', async () => {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-9', labels: { 'kubernetes.io/os': 'linux' } },
    spec: { unschedulable: true, taints: [{ key: 'gone', effect: 'NoSchedule' }] },
  });
  after(() => cluster.kubectl('delete', 'node', 'node-9'));
  const { exitCode, lines, errors } = await ask('chain', last.id, '--output', 'jsonl');
  assert.equal(exitCode, 3);
  assert.ok(lines.length > 1);
  assert.match(errors, /^vcml: node-9: cannot be read: /m);
  const since = new Date().toISOString();
  const gaps = await ask('gaps', '--since', since);
  assert.match(gaps.errors, /complete: 1 of 2 nodes; 1 not judged: node-9 \(it has no agent\)\n$/);
});

test('kubectl vcml says how complete the memory of a time is', async () => {
  const { exitCode, errors } = await ask('query', '--since', new Date().toISOString());
  assert.equal(exitCode, 0);
  assert.match(errors, COMPLETE);
});

test('kubectl vcml says which rights are missing', async () => {
  await cluster.kubectl('create', 'serviceaccount', 'stranger');
  const token = (await cluster.kubectl('create', 'token', 'stranger')).trim();
  const kubeconfig = writeKubeConfig('stranger', { token });
  const { exitCode, errors } = await ask('chain', last.id, '--kubeconfig', kubeconfig);
  assert.equal(exitCode, 2);
  assert.match(errors, /^vcml: cannot list pods: .*cannot list resource "pods".*--agent-namespace/);
});
