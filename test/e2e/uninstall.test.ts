import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { checkJournal } from '../check/check.ts';
import { writeKubeConfig } from './certificates.ts';
import { Cluster, type Manifest } from './cluster.ts';
import { eventually } from './eventually.ts';
import { container, podSpec } from './pods.ts';
import { Recorder } from './recorder.ts';

const NAMESPACE = 'watchers';
const NAME = 'vcml-agent';
const IN = `--namespace=${NAMESPACE}`;

/** The objects of an installation, with only the rights that this question needs. */
const ACCOUNT: Manifest = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named() };
const RBAC = 'rbac.authorization.k8s.io';
const RIGHTS: readonly Manifest[] = [
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: named(),
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
      {
        apiGroups: ['apps'],
        resources: ['daemonsets'],
        resourceNames: [NAME],
        verbs: ['get', 'list', 'watch'],
      },
    ],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: named(),
    roleRef: { apiGroup: RBAC, kind: 'Role', name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
  },
];
/** A DaemonSet whose pods represent the agent's; the agent ends at once, and these take longer. */
const DAEMON_SET: Manifest = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: named(),
  spec: {
    selector: { matchLabels: { app: NAME } },
    template: {
      metadata: { labels: { app: NAME } },
      spec: podSpec([container('agent', ['sleep', '1000'])], {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 120,
        serviceAccountName: NAME,
      }),
    },
  },
};

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly phase: string };
}

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
process.env.POD_NAMESPACE = NAMESPACE;
const recorder = new Recorder(['--on-exit', 'whenUninstalled']);
after(() => recorder[Symbol.asyncDispose]());
const { agent } = recorder;
await cluster.kubectl('create', 'namespace', NAMESPACE);
let kubeconfig = '';

function named(): Manifest {
  return { name: NAME, namespace: NAMESPACE };
}

/** Installs, and starts the agent as one of the pods, with the name and the token of that pod. */
async function install(): Promise<void> {
  await cluster.apply(ACCOUNT, ...RIGHTS, DAEMON_SET);
  const { name, uid } = await eventually(
    'a pod of the DaemonSet',
    async () => (await livePods())[0],
  );
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${name}`];
  const request = ['create', 'token', NAME, IN, ...bound, `--bound-object-uid=${uid}`];
  kubeconfig = writeKubeConfig('agent', { token: (await cluster.kubectl(...request)).trim() });
  process.env.POD_NAME = name;
  const before = agent.stderr.length;
  await agent.start('--kubeconfig', kubeconfig);
  await eventually('a word of the DaemonSet', async () =>
    agent.stderr.includes(`"daemonSet":"${NAMESPACE}/${NAME}"`, before) ? true : undefined,
  );
}

async function livePods(): Promise<Pod['metadata'][]> {
  const { items } = await cluster.get<{ items: readonly Pod[] }>('pods', IN);
  return items
    .filter(({ metadata, status }) => status.phase === 'Running' && !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata);
}

/** Ends the agent as the kubelet does, and returns what its log says about the DaemonSet. */
async function ended(state: 'kept' | 'detached'): Promise<string> {
  const before = agent.stderr.length;
  assert.equal(await agent.stop(), 0, agent.stderr);
  const said = agent.stderr.slice(before);
  const records = agent.records().filter(({ action }) => action === 'journal.stop');
  assert.equal(records.at(-1)?.attributes['vcml.hook.state'], state, said);
  assert.equal(existsSync(agent.pinDir), state === 'kept');
  return /"because":"([^"]*)"/.exec(said)?.[1] ?? '';
}

/** Waits until the API server refuses the agent's token, which it caches for some seconds. */
async function voided(): Promise<void> {
  await eventually('a void token', async () => {
    const look = cluster.kubectl(`--kubeconfig=${kubeconfig}`, 'auth', 'whoami');
    const why = await look.then(
      () => '',
      (error) => String(error),
    );
    return /Unauthorized|must be logged in/i.test(why) || undefined;
  });
}

/** Waits until the API server refuses the requests of the account. */
async function withoutRights(): Promise<void> {
  await eventually('the rights to be gone', async () => {
    const may = ['auth', 'can-i', 'get', `daemonsets.apps/${NAME}`, IN];
    const answer = cluster.kubectl(`--kubeconfig=${kubeconfig}`, ...may);
    return (await answer.catch(() => 'no')).startsWith('no') || undefined;
  });
}

test('the hook stays for the next pod when a pod is deleted', async () => {
  await install();
  await cluster.kubectl('delete', 'pod', process.env.POD_NAME ?? '', IN, '--wait=false');
  assert.match(await ended('kept'), /DaemonSet watchers\/vcml-agent exists/);
  await forced();
});

test('the hook stays when a pod is deleted by force, which invalidates its token', async () => {
  await install();
  await forced();
  await voided();
  assert.match(await ended('kept'), /not seen being deleted; HTTP 401/);
});

test('the hook stays while the API server is down', async () => {
  await install();
  await cluster.component('kube-apiserver').stop('SIGKILL');
  assert.match(await ended('kept'), /did not answer/);
  await cluster.startApiServer();
});

test('the hook stays when a DaemonSet is recreated around its pods', async () => {
  await install();
  await cluster.kubectl('delete', 'daemonset', NAME, IN, '--cascade=orphan');
  await cluster.apply(DAEMON_SET);
  const { uid } = (await cluster.get<Pod>('daemonset', NAME, IN)).metadata;
  const owner = '--output=jsonpath={.metadata.ownerReferences[0].uid}';
  await eventually('the adoption', async () => {
    const now = await cluster.kubectl('get', 'pod', process.env.POD_NAME ?? '', IN, owner);
    return now === uid || undefined;
  });
  assert.match(await ended('kept'), /exists/);
});

test('the hook stays when an upgrade removes the rights of the old pods', async () => {
  await install();
  await cluster.kubectl('delete', 'role,rolebinding', NAME, IN);
  await withoutRights();
  assert.match(await ended('kept'), /not seen being deleted; HTTP 403/);
  await forced();
});

test('nothing is left when the DaemonSet is deleted', async () => {
  await install();
  await cluster.kubectl('delete', 'daemonset', NAME, IN);
  assert.match(await ended('detached'), /is gone/);
  await forced();
});

test('nothing is left when the deletion of a DaemonSet waits for its pods', async () => {
  await install();
  await cluster.kubectl('delete', 'daemonset', NAME, IN, '--cascade=foreground', '--wait=false');
  assert.match(await ended('detached'), /is being deleted/);
  await forced();
});

test('nothing is left when an uninstall removes the rights first', async () => {
  await install();
  await cluster.kubectl('delete', 'daemonset,role,rolebinding', NAME, IN);
  await withoutRights();
  assert.match(await ended('detached'), /was seen being deleted; HTTP 403/);
  await forced();
});

test('nothing is left when an uninstall removes the account as well', async () => {
  await install();
  await cluster.kubectl('delete', 'daemonset,role,rolebinding,serviceaccount', NAME, IN);
  await voided();
  assert.match(await ended('detached'), /was seen being deleted; HTTP 401/);
  await forced();
});

test('nothing is left when the namespace is deleted with everything in it', async () => {
  await install();
  await cluster.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  assert.match(await ended('detached'), /namespace .* is being deleted/);
  await forced();
});

test('the journal is sound, and the agent reported no problem with its rights', () => {
  assert.deepEqual(checkJournal(agent.journal.lines, { allowRetention: false }), []);
  assert.doesNotMatch(agent.stderr, /let the agent’s account|"error":"[^"]*HTTP/);
});

/** Deletes objects without waiting for them. */
async function forced(): Promise<void> {
  const now = ['--grace-period=0', '--force', '--ignore-not-found'];
  await cluster.kubectl('delete', 'pod', process.env.POD_NAME ?? '', IN, ...now);
}
