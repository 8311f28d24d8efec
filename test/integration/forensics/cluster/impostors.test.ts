import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Draft, exec, HOOK, lines, loss, start, time } from '../../../check/craft.ts';
import { Folder, type Ran } from '../../../support/forensics.ts';
import { ROOT } from '../../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());

/** Answers as kubectl does, with what a pod of a namespace sends. */
const KUBECTL = `#!/bin/sh
[ "$1" = get ] && exec cat "$CLUSTER/$2.json"
exec cat "$CLUSTER/\${2#--namespace=}/$3"
`;
chmodSync(folder.write('bin/kubectl', KUBECTL), 0o755);

const SECOND = 1_000_000_000;

/** Returns records of a node with these numbers of CPU 0, each at so many seconds. */
function recordsOf(node: number, seqs: readonly number[], ...more: readonly Draft[]): Draft[] {
  const records = [
    start([1], 'attached', node),
    ...seqs.map((seq) => exec(seq * SECOND + node, 1000 * node + seq, 0, seq)),
    ...more,
  ];
  for (const record of records) record.resource['host.name'] = `node-${node}`;
  return records;
}

/** Makes a cluster of pods, by `namespace/name` with the node and what they send. */
function clusterOf(
  name: string,
  pods: Readonly<Record<string, readonly [node: string, sent: readonly Draft[]]>>,
): string {
  const items = Object.entries(pods).map(([path, [nodeName, sent]]) => {
    const [namespace, pod] = path.split('/');
    const text = lines(sent).map((line) => `${line}\n`);
    folder.write(`${name}/${path}`, zstdCompressSync(text.join('')));
    const metadata = { namespace, name: pod };
    return { metadata, spec: { nodeName }, status: { phase: 'Running' } };
  });
  const nodes = [...new Set(items.map(({ spec }) => spec.nodeName))];
  folder.write(`${name}/pods.json`, JSON.stringify({ items }));
  const list = { items: nodes.map((node) => ({ metadata: { name: node } })) };
  folder.write(`${name}/nodes.json`, JSON.stringify(list));
  return join(folder.path, name);
}

/** Runs the plug-in in a cluster. */
function ask(cluster: string, ...args: readonly string[]): Promise<Ran> {
  const path = `${join(folder.path, 'bin')}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, CLUSTER: cluster };
  return new Promise((resolve) => {
    const child = execFile(join(ROOT, 'bin/kubectl-vcml'), args, { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const last = ({ stderr }: Ran) => stderr.trimEnd().split('\n').at(-1);
const SINCE = ['--since', time(HOOK + BigInt(SECOND))];
const whole = recordsOf(1, [1, 2, 3]);

test('a pod in another namespace with the labels of the agents is not asked', async () => {
  const cluster = clusterOf('namespaces', {
    'aaa/impostor': ['node-1', recordsOf(1, [1])],
    'vcml-agent/agent-1': ['node-1', whole],
  });
  const refused = await ask(cluster, 'query', ...SINCE);
  assert.deepEqual([refused.code, refused.stdout], [64, '']);
  assert.match(refused.stderr, /several namespaces .*\(aaa, vcml-agent\): .*--agent-namespace/);
});

test('a node on which several agents run is named, and not judged', async () => {
  const cluster = clusterOf('several', {
    'vcml-agent/agent-1': ['node-1', whole],
    'vcml-agent/agent-2': ['node-1', recordsOf(1, [1])],
  });
  const { code, stderr } = await ask(cluster, 'query', ...SINCE);
  assert.equal(code, 3);
  assert.match(stderr, /node-1: cannot be read: of the agents in the pods agent-1, agent-2, only/);
  assert.match(stderr, /1 not judged: node-1 \(several agents run on it\)/);
});

const withoutBoot = recordsOf(3, [1]).map((record) => {
  const { 'vcml.boot.id': _, ...attributes } = record.attributes;
  return { ...record, attributes };
});
const strange = clusterOf('strange', {
  'vcml-agent/agent-1': ['node-1', recordsOf(1, [1, 2, 5])],
  // It explains what is missing on the other node, and has nothing of its own.
  'vcml-agent/agent-2': ['node-2', recordsOf(1, [], loss(5 * SECOND, 1, 0, 3, 4)).slice(1)],
  'vcml-agent/agent-3': ['node-3', withoutBoot],
  'vcml-agent/agent-4': ['node-4', recordsOf(4, [1, 2])],
});

test('no agent witnesses for another node, and each node that was asked is in the last line', async () => {
  const expected =
    'vcml: complete: 1 of 4 nodes; 1 with holes that nothing explains: node-1 (2 records); ' +
    '2 not judged: node-2 (it sent records of other nodes), node-3 (it sent no record of its own)';
  assert.equal(last(await ask(strange, 'query', ...SINCE)), expected);
  const one = await ask(strange, 'query', ...SINCE, '--node', 'node-2');
  assert.match(last(one) ?? '', /complete: 0 of 1 node; 1 not judged: node-2/);
});

test('agents that send records of other nodes are named where nothing is judged', async () => {
  const id = String(whole[1]?.id);
  for (const args of [
    ['chain', id],
    ['query', ...SINCE, '--pod', 'cart'],
  ]) {
    const { stderr } = await ask(strange, ...args);
    assert.match(stderr, /^vcml: node-2: sent records of other nodes: 1$/m);
    assert.doesNotMatch(stderr, /node-[134]: sent/);
  }
});
