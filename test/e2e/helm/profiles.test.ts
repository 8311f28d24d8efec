import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AGENT_BIN, ROOT } from '../../support/paths.ts';
import { AGENT_IMAGE, AGENT_IMAGES } from '../agent-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { run } from '../network.ts';
import { DIR, PINS, RUNTIME_STATE } from '../place.ts';
import { container, pod, waitForPhase } from '../pods.ts';
import { CHART, NAMESPACE, Release, set } from './release.ts';

const MANIFESTS = join(ROOT, 'deploy/manifests');
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
await cluster.importImages(AGENT_IMAGES);
const release = new Release(cluster, 'helm3');

/** Returns the message with which `helm install` refuses values. */
async function refusal(...values: readonly string[]): Promise<string> {
  return release.run('install', 'other', CHART, ...set(values)).then(
    () => assert.fail('it was installed'),
    ({ message }: Error) => message,
  );
}

/** Returns the hook of the next agent that starts. */
async function hookAfter(step: () => Promise<unknown>): Promise<unknown> {
  const starts = () => release.journal.read().filter(({ action }) => action === 'journal.start');
  const before = starts().length;
  await step();
  const start = await eventually('the next start', async () => starts()[before]);
  return start.attributes['vcml.hook.id'];
}

/** Waits until the agent has ended and its log states the cause. */
function lastWords(text: string): Promise<boolean> {
  return eventually(text, async () => {
    const logs = [await release.log(), await release.log('--previous').catch(() => '')];
    if (logs.some((log) => log.includes(text))) return true;
    throw new Error(logs.join('\n').slice(-2000));
  });
}

/** Uninstalls when the agent can detect it; nothing stays, except the journal if it is kept. */
async function uninstall(journal = 'kept'): Promise<void> {
  await lastWords('watching the DaemonSet; the hook is detached when the DaemonSet is deleted');
  const programs = release.programs();
  await release.uninstall();
  await release.assertGone(programs, journal);
}

test('Helm 3 installs the privileged profile, and its test passes', async () => {
  await release.install('privileged=true');
  assert.match(await release.test(), /PASSED; nothing is exported/);
});

test('a second agent on this kernel waits, names the first, and exits with code 75', async () => {
  const journal = ['--journal-dir', join(DIR, 'second'), '--print', 'none'];
  const args = ['run', '--pin-dir', PINS, '--wait-for-hook', '1s', ...journal];
  const { status, stderr } = spawnSync(AGENT_BIN, args, { encoding: 'utf8' });
  assert.equal(status, 75);
  assert.match(stderr, /another agent holds the hook .* node node-1, pid \d+/);
});

test('the agent of a second release does the same, and its uninstall removes nothing of the first', async () => {
  const programs = release.programs();
  await release.run('install', 'second', CHART, ...set(['config.waitForHook=1s']));
  const codes = '{.items[*].status.containerStatuses[*].lastState.terminated.exitCode}';
  const pods = ['pods', '--selector=app.kubernetes.io/instance=second'];
  // Only the log of the previous container exists.
  const said = await eventually('its end', async () => {
    const code = await release.kubectl('get', ...pods, `--output=jsonpath=${codes}`);
    if (code !== '75') return undefined;
    return release.kubectl('logs', 'daemonset/second-vcml-agent', '--previous');
  });
  assert.match(said, /another agent holds the hook .* node node-1, pid \d+/);
  await release.run('uninstall', 'second', '--wait', '--timeout=2m');
  assert.deepEqual(release.programs(), programs);
  // One that still waits for the hook would take it as soon as the first one lets it go.
  await eventually('the end of its pods', async () => {
    const left = await release.kubectl('get', ...pods, '--output=name');
    return left.trim() === '' || undefined;
  });
});

test('the agent names a missing capability', async () => {
  await uninstall();
  const values = set(['capabilities={BPF,SYS_PTRACE}']);
  await release.run('install', 'vcml-agent', CHART, ...values);
  await lastWords('CAP_PERFMON');
});

test('with leastPrivilege, records name their pods, and the log says what they lack', async () => {
  await release.run('uninstall', 'vcml-agent', '--wait', '--timeout=2m');
  await release.install('leastPrivilege=true');
  await lastWords('other processes are not visible; gaps do not name them');
  assert.match(await release.test(), /PASSED; nothing is exported/);
  await cluster.apply(pod('least', [container('main', ['true', 'least'])]));
  await waitForPhase(cluster, 'Succeeded', 'least');
  const started = await release.marked('least');
  assert.equal(started.resource['k8s.pod.name'], 'least');
  assert.equal(started.attributes['vcml.entry'], 'start');
  // The mount namespace of the agent's container is not that of the node.
  const asked = ['status', '--output', 'json'];
  await release.kubectl('exec', 'daemonset/vcml-agent', '--', 'vcml-agent', ...asked);
  const status = await release.marked(`/usr/local/bin/vcml-agent ${asked.join(' ')}`);
  assert.equal(status.attributes['vcml.entry'], 'exec');
  await uninstall();
});

test('the log reports a wrong endpoint, and recording continues', async () => {
  await release.install('config.exportEndpoint=http://nowhere.example:4317');
  await lastWords('records are held in the journal');
  await cluster.apply(pod('meanwhile', [container('main', ['true', 'meanwhile'])]));
  await waitForPhase(cluster, 'Succeeded', 'meanwhile');
  await release.marked('meanwhile');
});

test('the pod’s events name a missing Secret', async () => {
  const values = ['config.exportEndpoint=https://c:4317', 'secrets={otlp}'];
  await release.run('upgrade', 'vcml-agent', CHART, ...set(values));
  await eventually('the event', async () =>
    (await release.kubectl('get', 'events')).includes('secret "otlp" not found') ? true : undefined,
  );
});

test('an unknown value at any depth is an error that names it', async () => {
  assert.match(await refusal('confg.logLevel=debug'), /confg/);
  assert.match(await refusal('config.exportEndpiont=x'), /exportEndpiont/);
  assert.match(await refusal('config.ringSize=33MiB'), /ringSize/);
  assert.match(await refusal('config.exportTokenFile=/etc/vcml-agent/secrets/otlp/token'), /otlp/);
});

test('a namespace that admits only restricted pods is an error that names the remedy', async () => {
  const label = 'pod-security.kubernetes.io/enforce';
  await cluster.kubectl('label', 'namespace', NAMESPACE, `${label}=restricted`);
  assert.match(await refusal(), /kubectl label namespace vcml-agent .*enforce=privileged/);
  await cluster.kubectl('label', 'namespace', NAMESPACE, `${label}-`);
});

test('without a bpffs on the node, the agent says how to mount one, and mounts none', async () => {
  const values = set(['hostPaths.bpffs=/tmp', 'privileged=true']);
  await release.run('upgrade', 'vcml-agent', CHART, ...values);
  await lastWords('as root on the host, mount one with: mount -t bpf -o mode=0700');
});

test('in the network of the node, the kubelet probes the loopback interface', async () => {
  await release.install('hostNetwork=true');
  const pods = ['pods', '--selector=app.kubernetes.io/component=agent'];
  const path = '{.items[*].status.podIP}';
  const address = await release.kubectl('get', ...pods, `--output=jsonpath=${path}`);
  const ask = (host: string) =>
    `await fetch('http://${host}:9470/livez', { signal: AbortSignal.timeout(5000) })`;
  const reached = (host: string) =>
    run([process.execPath, '--input-type=module', '--eval', ask(host)]).then(
      () => true,
      () => false,
    );
  assert.equal(await reached('127.0.0.1'), true);
  assert.equal(await reached(address), false, 'no pod reaches it at the address of the node');
});

test('an uninstall by Helm 3 leaves only the journal', async () => {
  await release.install();
  await uninstall();
});

test('with journalOnUninstall: delete, an uninstall deletes the journal; an upgrade and the end of a pod do not', async () => {
  const told = 'config.journalOnUninstall=delete';
  const hooks = [await hookAfter(() => release.install(told))];
  // The account and rights of the old pods are deleted before the pods.
  hooks.push(await hookAfter(() => release.install(told, 'serviceAccount.name=another')));
  const agents = ['pod', '--selector=app.kubernetes.io/component=agent'];
  hooks.push(await hookAfter(() => release.kubectl('delete', ...agents)));
  assert.equal(new Set(hooks).size, 1, `one hook and one journal through all of it: ${hooks}`);
  await uninstall('deleted');
});

test('the plain manifests do the same without Helm, and deleting their namespace removes everything', async () => {
  const files = ['namespace.yaml', 'vcml-agent.yaml'].map((name) => join(MANIFESTS, name));
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n---\n');
  const here = text
    .replace(/image: vcml-agent:.*/, `image: ${AGENT_IMAGE}`)
    .replace('path: /var/lib/vcml-agent\n', `path: ${DIR}/node\n`)
    .replace('path: /run/containerd/', `path: ${RUNTIME_STATE}/`);
  await run(['kubectl', 'apply', '--filename=-'], here);
  await release.kubectl('rollout', 'status', 'daemonset/vcml-agent', '--timeout=3m');
  await lastWords('watching the DaemonSet; the hook is detached when the DaemonSet is deleted');
  const programs = release.programs();
  await run(['kubectl', 'delete', '--filename=-', '--timeout=2m'], here);
  await release.assertGone(programs);
});
