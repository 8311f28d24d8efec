import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Draft, exec, execId, HOOK, lines, loss, start, time } from '../../../check/craft.ts';
import { Folder, type Ran, segment } from '../../../support/forensics.ts';
import { AGENT_BIN, ROOT } from '../../../support/paths.ts';
import { event, PLACE } from '../exec-requests/scene.ts';

const folder = new Folder();
after(() => folder.close());

/** Answers as kubectl does, for nodes whose journals are in folders. */
const KUBECTL = `#!/bin/sh
[ "$1" = get ] && exec cat '${folder.path}'/"$2.json"
pod=$3
shift 6
case $pod in
dead-*) echo 'error: the pod is gone' >&2; exit 1 ;;
older-*) case "$*" in *--neighbors*) echo "vcml-agent: unknown option '--neighbors'" >&2; exit 64 ;; esac ;;
esac
exec '${AGENT_BIN}' "$@" --journal-dir '${folder.path}/journals/'"\${pod#*-}"
`;

const SECOND = 1_000_000_000;
const HOUR = 3600 * SECOND;
/** Nanoseconds from one node to the next, so that no two have the same id. */
const APART = 1_000_000;

/** Writes the journal of a node with these numbers of CPU 0, each at so many seconds. */
function journalOf(n: number, seqs: readonly number[], ...more: readonly Draft[]): void {
  const records = [
    start([1], 'attached', n * APART),
    ...seqs.map((seq) => exec(n * APART + seq * SECOND, n * 1000 + seq, 0, seq)),
    ...more,
  ].toSorted((a, b) => Number((a.timestamp as bigint) - (b.timestamp as bigint)));
  for (const record of records) record.resource['host.name'] = `node-${n}`;
  folder.journal(`journals/node-${n}/${segment(1)}`, lines(records));
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
/** An exec of node 1 that another one caused. */
const effectOf = (cause: number, seq: number, more = {}) => {
  const parent = execId(APART + cause * SECOND, 1000 + cause);
  return exec(APART + seq * SECOND, 1000 + seq, 0, seq, { parent, ...more });
};
const session = effectOf(1, 3, {
  'vcml.trace.trace_id': TRACE,
  'vcml.entry': 'exec',
  'vcml.authority.type': 'exec_request',
  'vcml.authority.id': 'request',
});
Object.assign(session.resource, PLACE);
journalOf(1, [1, 2, 5, 7], session, effectOf(1, 4), effectOf(3, 6));
// Two records of the time were lost, which was reported behind it.
journalOf(2, [1, 2, 3, 4, 7], loss(2 * APART + 7 * SECOND - 1, 1, 0, 5, 6));
// Three numbers are missing between the last record before the time and the first one in it.
journalOf(3, [1, 2, 6, 7]);
journalOf(4, [1, 2, 3, 4, 5, 6, 7]);
journalOf(5, [1, 2], exec(5 * APART + HOUR / 2, 5999, 0, 3));
journalOf(6, [1, 2, 3]);
// A CPU of it has no record within 16 MiB of a time.
const LONG = { 'process.command_args': ['x', 'y'.repeat(1 << 20)] };
const farAt = (seconds: number, cpu: number, seq: number, more = {}) =>
  exec(8 * APART + seconds * SECOND, 8000 + 10 * seconds + cpu, cpu, seq, more);
for (const [number, records] of [
  [start([1, 1], 'attached', 8 * APART), farAt(1, 0, 1), farAt(2, 1, 1)],
  Array.from({ length: 17 }, (_, n) => farAt(7 + n / 20, 0, 2 + n, LONG)),
  [farAt(9, 1, 2)],
].entries()) {
  for (const record of records) record.resource['host.name'] = 'node-8';
  folder.journal(`journals/node-8/${segment(number + 1)}`, lines(records));
}
const KINDS = ['new', 'new', 'new', 'older', 'new', 'dead', undefined, 'new'];
const items = (list: readonly object[]) => JSON.stringify({ items: list });
folder.write(
  'pods.json',
  items(
    KINDS.map((kind, n) => ({
      metadata: { name: `${kind}-node-${n + 1}`, namespace: 'vcml-agent' },
      spec: { nodeName: `node-${n + 1}` },
      status: { phase: 'Running' },
    })).filter((_, n) => KINDS[n] !== undefined),
  ),
);
folder.write('nodes.json', items(KINDS.map((_, n) => ({ metadata: { name: `node-${n + 1}` } }))));
chmodSync(folder.write('bin/kubectl', KUBECTL), 0o755);
const env = { ...process.env, PATH: `${join(folder.path, 'bin')}:${process.env.PATH}` };

const at = (seconds: number) => time(HOOK + BigInt(seconds * SECOND));
const SINCE = ['--since', at(2.5)];
const UNTIL = ['--until', at(6.5)];

/** Runs the plug-in; returns what it prints, and the last line of stderr. */
async function ask(...args: readonly string[]): Promise<Ran & { readonly last: string }> {
  const ran = await new Promise<Ran>((resolve) => {
    const child = execFile(join(ROOT, 'bin/kubectl-vcml'), args, { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
  return { ...ran, last: ran.stderr.trimEnd().split('\n').at(-1) ?? '' };
}

const FAR = 'node-8 (the records next to the time are too far from it)';
const UNJUDGED =
  '4 not judged: node-4 (its agent is older than this vcml), ' +
  `node-6 (it did not send everything), node-7 (it has no agent), ${FAR}`;

test('the answer about a time ends with how complete the memory of each node is', async () => {
  const complete =
    'vcml: complete: 2 of 8 nodes; 1 with holes that nothing explains: node-3 (3 records); ' +
    `1 with losses: node-2 (2 records); ${UNJUDGED}`;
  for (const command of ['query', 'gaps', 'stats', 'tree']) {
    const { code, last } = await ask(command, ...SINCE, ...UNTIL);
    assert.deepEqual([code, last], [3, complete], command);
  }
  const none = await ask('tree', ...SINCE, ...UNTIL, '--exe', '/nowhere');
  assert.equal(none.stderr.trimEnd().split('\n').at(-2), complete);
});

test('only the records of the time are in an answer, not those around it', async () => {
  const { stdout } = await ask(
    'query',
    ...SINCE,
    ...UNTIL,
    '--output',
    'jsonl',
    '--node',
    'node-1',
  );
  assert.deepEqual(seqsIn(stdout), [3, 4, 5, 6]);
  const as = ['--output', 'jsonl', '--node', 'node-2'];
  const gaps = await ask('gaps', ...SINCE, ...UNTIL, ...as);
  assert.match(gaps.stdout, /"reason":"predates_hook".*"gaps":2,/);
  assert.doesNotMatch(gaps.stdout, /ring_buffer/);
  const stats = await ask('stats', ...SINCE, ...UNTIL, ...as);
  assert.match(stats.stdout, /"action":"exec","records":2,/);
  const sql = ['--sql', 'SELECT count(*) AS n FROM records'];
  assert.equal((await ask('query', ...SINCE, ...UNTIL, ...as, ...sql)).stdout, '{"n":2}\n');
});

test('one node is judged alone, from its own records', async () => {
  for (const [node, line] of [
    ['node-1', 'complete: 1 of 1 node'],
    ['node-2', 'complete: 0 of 1 node; 1 with losses: node-2 (2 records)'],
    ['node-4', 'complete: 0 of 1 node; 1 not judged: node-4 (its agent is older than this vcml)'],
    ['node-5', 'complete: 1 of 1 node'],
  ] as const) {
    const { code, last } = await ask('query', ...SINCE, ...UNTIL, '--node', node);
    assert.deepEqual([code, last], [0, `vcml: ${line}`]);
  }
  const later = await ask('query', '--since', '100w', '--node', 'node-1');
  assert.match(later.last, /1 that begin later than asked: node-1 \(at 2025-/);
  const silent = await ask('query', '--since', at(HOUR / SECOND), '--node', 'node-5');
  assert.equal(silent.last, 'vcml: complete: 1 of 1 node');
  const end = ['--until', at((2 * HOUR) / SECOND)];
  const ended = await ask('query', '--since', at(HOUR / SECOND), ...end, '--node', 'node-5');
  assert.match(ended.last, /1 silent: node-5 \(since 2025-/);
  const far = await ask('query', '--since', at(8.5), '--node', 'node-8');
  assert.equal(far.last, `vcml: complete: 0 of 1 node; 1 not judged: ${FAR}`);
  const near = await ask('query', '--since', at(6.5), '--node', 'node-8');
  assert.equal(near.last, 'vcml: complete: 1 of 1 node');
  const two = await ask('query', ...SINCE, ...UNTIL, '--node', 'node-[17]');
  assert.equal(two.last, 'vcml: complete: 1 of 2 nodes; 1 not judged: node-7 (it has no agent)');
});

test('where agents send a part of their records, the memory is not judged, with what does', async () => {
  const id = String(exec(APART + 3 * SECOND, 1003, 0, 3).id);
  for (const args of [
    ['chain', id],
    ['tree', id],
    ['query', ...SINCE, '--pod', 'cart'],
    ['query', ...SINCE, '--sql', 'SELECT 1'],
  ]) {
    const { last } = await ask(...args, '--node', 'node-1');
    assert.match(last, /^vcml: complete: not judged, because .* `kubectl vcml gaps --since TIME`/);
  }
});

test('stderr names the nodes that did not answer', async () => {
  const { stderr } = await ask('query', ...SINCE, ...UNTIL);
  assert.match(stderr, /^vcml: 6 of 7 nodes answered$/m);
  assert.match(stderr, /^vcml: node-6: cannot be read: error: the pod is gone$/m);
  assert.match(stderr, /^vcml: node-7: cannot be read: the node has no pod with an agent$/m);
});

test('what a trace or a user caused is asked of all agents, also for a pod', async () => {
  const log = folder.write('audit.log', event({ id: 'request', seconds: 2 }));
  for (const caused of [
    ['--trace', TRACE],
    ['--kubernetes-user', 'alice', '--audit-log', log],
  ]) {
    const asked = [...SINCE, ...UNTIL, ...caused, '--output', 'jsonl', '--node', 'node-1'];
    const { stdout, stderr, last } = await ask('query', ...asked);
    assert.deepEqual(seqsIn(stdout), [3, 6], stderr);
    assert.match(stderr, /^vcml: --.*: 1 exec/m);
    assert.match(stderr, /^vcml: 1 record may belong to it, .* try an earlier --since$/m);
    assert.equal(last, 'vcml: complete: 1 of 1 node');
    const inPod = await ask('tree', ...asked, '--pod', 'shop/cart-0');
    assert.deepEqual(seqsIn(inPod.stdout), [3]);
  }
  const { code, stderr } = await ask('query', ...SINCE, '--kubernetes-user', 'alice');
  assert.equal(code, 64);
  assert.match(stderr, /add --audit-log FILE/);
});

function seqsIn(jsonl: string): number[] {
  return Array.from(jsonl.matchAll(/"vcml.seq":(\d+)/g), ([, seq]) => Number(seq));
}
