import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { metadataFlags } from './access.ts';
import { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { DIR, NODE_NAME } from './place.ts';
import { container, pod } from './pods.ts';
import { startRecorder } from './recorder.ts';

/** The number of pods, a multiple of the wave; CHURN_PODS=500 takes some three minutes. */
const PODS = Number(process.env.CHURN_PODS ?? 100);
/** The number of pods after which everything is loaded and every part has worked. */
const SETTLED = 50;
/** The number of pods in a wave; two waves exist at a time, and a node holds 110 pods. */
const WAVE = 25;
/**
 * The agent keeps a bounded number of ended pods, containers and images: 10 KiB for each pod until the
 * bound. A pod as the API server sends it has 34 KiB and more.
 */
const GROWTH_MAX = (PODS - SETTLED) * (20 << 10);
const SNAPSHOTS = `${DIR}/snapshots`;

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
mkdirSync(SNAPSHOTS);
const flags = await metadataFlags(cluster);
process.env.NODE_OPTIONS = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${SNAPSHOTS}`;
const recorder = await startRecorder(...flags);
delete process.env.NODE_OPTIONS;
after(() => recorder[Symbol.asyncDispose]());

test('the agent’s memory does not grow while pods are created and deleted', async (context) => {
  let settled = 0;
  let gone: Promise<unknown> = Promise.resolve();
  for (let first = 0; first < PODS; first += WAVE) {
    const names = Array.from({ length: WAVE }, (_, at) => `churn-${first + at}`);
    await run(names);
    await gone;
    gone = cluster.kubectl('delete', 'pod', ...names);
    if (first + WAVE === SETTLED) settled = await heapBytes();
  }
  await gone;
  const growth = (await heapBytes()) - settled;
  context.diagnostic(`${settled} bytes after ${SETTLED} pods, ${growth} more after ${PODS}`);
  assert.ok(growth <= GROWTH_MAX, `${growth} bytes more`);
});

/** Runs pods that end at once, and waits until each has its record. */
async function run(names: readonly string[]): Promise<void> {
  const spec = { nodeName: NODE_NAME, hostNetwork: true, automountServiceAccountToken: false };
  await cluster.apply(...names.map((name) => pod(name, [container('main', ['true', name])], spec)));
  for (const name of names) {
    const { resource } = await recorder.marked(name);
    assert.equal(resource['k8s.pod.name'], name);
  }
}

/** Measures the agent's heap and buffers, without garbage and compiled code. */
async function heapBytes(): Promise<number> {
  process.kill(recorder.agent.pid, 'SIGUSR2');
  const { snapshot, nodes } = await eventually('a heap snapshot', readSnapshot);
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const size = fields.indexOf('self_size');
  const code = types[0].indexOf('code');
  let bytes = 0;
  for (let at = 0; at < nodes.length; at += fields.length)
    if (nodes[at] !== code) bytes += nodes[at + size] ?? 0;
  return bytes;
}

/** The first field of a node is its type. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[]];
    };
  };
  readonly nodes: readonly number[];
}

/** Reads a file; fails while the file is being written. */
async function readSnapshot(): Promise<Snapshot | undefined> {
  const [name] = readdirSync(SNAPSHOTS);
  if (name === undefined) return undefined;
  const snapshot = JSON.parse(readFileSync(`${SNAPSHOTS}/${name}`, 'utf8'));
  rmSync(`${SNAPSHOTS}/${name}`);
  return snapshot;
}
