import { deepEqual, equal, ok } from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from '../../support/agent.ts';
import { executeIn, makePodContainer, unified } from '../../support/container-cgroup.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

const KILLS = 100;

function idOf(name: string): string {
  return createHash('sha256').update(`${process.pid} ${name}`).digest('hex');
}

/** The records of a test's own execs of `true`, by their argument. */
function markedBy(records: readonly JournalLine[], marker: string): readonly JournalLine[] {
  return records.filter(({ attributes }) => {
    const args = attributes['process.command_args'];
    return Array.isArray(args) && args[0] === '/bin/true' && args[1] === marker;
  });
}

/** The part of a record that says in which container it happened. */
function containerOf({ resource, attributes }: JournalLine) {
  return { id: resource['container.id'], cgroup: attributes['process.linux.cgroup'] };
}

test('unread execs name their container although agent and container have ended', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const id = idOf('unread');
  const folder = `${unified()}/docker-${id}.scope`;
  mkdirSync(folder);
  t.after(() => existsSync(folder) && rmdirSync(folder));
  await executeIn(folder, 1, 'seen');
  await agent.journal.marked('seen');
  process.kill(agent.pid, 'SIGSTOP');
  await executeIn(folder, 10, 'unread');
  rmdirSync(folder);
  await agent.kill();
  await agent.start();
  const found = await agent.journal.waitFor('ten execs', (records) => {
    const unread = markedBy(records, 'unread');
    return unread.length === 10 ? unread : undefined;
  });
  for (const record of found)
    deepEqual(containerOf(record), { id, cgroup: `0::/docker-${id}.scope` });
});

test('the next agent names a pod by what the previous one knew, although the runtime’s files were removed', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const id = idOf('named');
  const uid = randomUUID();
  const bundle = join(agent.directory, 'run/io.containerd.runtime.v2.task/k8s.io', id);
  await agent.stop();
  await agent.start('--runtime-dirs', join(agent.directory, 'run'));
  mkdirSync(bundle, { recursive: true });
  const annotations = {
    'io.kubernetes.cri.container-type': 'container',
    'io.kubernetes.cri.container-name': 'cart',
    'io.kubernetes.cri.sandbox-name': 'cart-1',
    'io.kubernetes.cri.sandbox-namespace': 'shop',
    'io.kubernetes.cri.sandbox-uid': uid,
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ annotations }));
  const folder = makePodContainer(t, uid, id);
  await executeIn(folder, 1, 'seen-in-pod');
  await agent.journal.marked('seen-in-pod');
  process.kill(agent.pid, 'SIGSTOP');
  await executeIn(folder, 1, 'unread-in-pod');
  rmSync(bundle, { recursive: true });
  for (const made of [folder, dirname(folder)]) rmdirSync(made);
  await agent.kill();
  await agent.start('--runtime-dirs', join(agent.directory, 'run'));
  const { resource, attributes } = await agent.journal.marked('unread-in-pod');
  equal(resource['container.id'], id);
  equal(resource['k8s.pod.uid'], uid);
  equal(resource['k8s.namespace.name'], 'shop');
  equal(resource['k8s.pod.name'], 'cart-1');
  equal(resource['k8s.container.name'], 'cart');
  equal(attributes['vcml.metadata.state'], 'complete');
});

test('a container is known although the ring had no room for the event of its creation', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB'] });
  t.after(() => agent.close());
  process.kill(agent.pid, 'SIGSTOP');
  execFileSync('bash', ['-c', 'for i in $(seq 4000); do /bin/true; done']);
  const id = idOf('overflow');
  const folder = `${unified()}/docker-${id}.scope`;
  mkdirSync(folder);
  t.after(() => existsSync(folder) && rmdirSync(folder));
  process.kill(agent.pid, 'SIGCONT');
  await agent.journal.waitFor('the loss', (records) =>
    records.find(({ action }) => action === 'journal.loss'),
  );
  await executeIn(folder, 1, 'after-overflow');
  rmdirSync(folder);
  const record = await agent.journal.marked('after-overflow');
  deepEqual(containerOf(record), { id, cgroup: `0::/docker-${id}.scope` });
});

test('a container is known although its path is too long for the kernel’s event', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  for (const length of [1023, 1024, 2000]) {
    const id = idOf(`deep ${length}`);
    const path = pathOf(length, `docker-${id}.scope`);
    const folder = `${unified()}${path}`;
    mkdirSync(folder, { recursive: true });
    t.after(() => removeUpTo(unified(), folder));
    await executeIn(folder, 1, `deep-${length}`);
    const record = await agent.journal.marked(`deep-${length}`);
    deepEqual(containerOf(record), { id, cgroup: `0::${path}` });
  }
});

/** A path of this many bytes that ends in this name. */
function pathOf(length: number, name: string): string {
  let path = `/vcml-test-${process.pid}-${length}`;
  while (path.length + 201 + name.length < length) path += `/${'a'.repeat(100)}`;
  return `${path}/${'b'.repeat(length - path.length - name.length - 2)}/${name}`;
}

function removeUpTo(top: string, folder: string): void {
  for (let at = folder; at !== top; at = dirname(at)) if (existsSync(at)) rmdirSync(at);
}

test('a hundred kills among containers that live for milliseconds leave no record without its container', async (t) => {
  const agent = await startAgent({ args: ['--segment-max-bytes', '4MiB'] });
  t.after(() => agent.close());
  const churn = startContainers();
  t.after(() => churn.end());
  for (let round = 0; round < KILLS; round++) {
    await sleep(Math.random() * 150);
    await agent.kill();
    const next = agent.start().catch(() => undefined); // it is also killed during its start
    if (round % 2 === 0) await next;
  }
  const made = await churn.end();
  await agent.kill();
  await agent.start();
  ok(made > KILLS, `${made} containers`);
  // An agent that ends in order has recorded everything that was in the ring, however long that takes.
  equal(await agent.stop(), 0, agent.stderr);
  const own = markedBy(agent.records(), churn.marker);
  equal(new Set(own.map(numberOf)).size, own.length);
  // Beside storms of others, the ring can be full: no agent lives long enough to drain it.
  const lost = lostIn(agent.records());
  ok(own.length <= made && own.length + lost >= made, `${own.length} of ${made}, ${lost} lost`);
  const wrong = own.filter((record) => {
    const id = churn.idOf(numberOf(record));
    const { id: found, cgroup } = containerOf(record);
    return found !== id || cgroup !== `0::/docker-${id}.scope`;
  });
  deepEqual(wrong.map(containerOf), []);
});

/** The number of the container, which the churn gives to its exec. */
function numberOf({ attributes }: JournalLine): number {
  const [, , n] = attributes['process.command_args'] as string[];
  return Number(n);
}

/** The records that the journal reports as lost. */
function lostIn(records: readonly JournalLine[]): number {
  return records
    .filter(({ action }) => action === 'journal.loss')
    .reduce((sum, { attributes }) => sum + Number(attributes['vcml.loss.count']), 0);
}

/** Makes one container after the other; each one executes once and ends. */
function startContainers() {
  const marker = `churn-${process.pid}`;
  const script = `
    trap 'stop=1' TERM
    n=0
    while [ -z "$stop" ]; do
      n=$((n + 1))
      folder="$1/docker-$(printf %064x $n).scope"
      mkdir "$folder"
      (echo $BASHPID >"$folder/cgroup.procs"; exec unshare --mount /bin/true "$2" $n)
      rmdir "$folder"
    done
    echo $n`;
  const child = spawn('bash', ['-c', script, 'bash', unified(), marker], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const closed = once(child, 'close');
  return {
    marker,
    idOf: (n: number) => n.toString(16).padStart(64, '0'),
    async end(): Promise<number> {
      terminate(child);
      await closed;
      return Number(output);
    },
  };
}

function terminate(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}
