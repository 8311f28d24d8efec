import { renameSync, writeFileSync } from 'node:fs';
import type { Cluster, Manifest } from './cluster.ts';
import { TEST_IMAGE } from './images.ts';
import type { Chain } from './judge-chains.ts';
import { DIR, NODE_NAME, STATIC_PODS } from './place.ts';
import { container, type PodObject, pod, podSpec, waitForPhase } from './pods.ts';

/** The pods of a Job; with CHAIN_PODS=452 there are 500 pods, which takes some minutes more. */
const BATCH = Number(process.env.CHAIN_PODS ?? 55);
const LONE = 10;
const FOREVER = 'exec sleep 100000';
const ENDS_ON_TERM = 'trap exit TERM; sleep 100000 & wait';
/** A Job of this name is one of the CronJob, as its controller names it. */
const DUE = `clock-${Math.floor(Date.now() / 60_000)}`;

/** What permits what a pod says: `start`: the pod; `added`: the pod, in a container of no controller. */
const PERMITS = {
  prepare: 'start',
  helper: 'start',
  main: 'start',
  again: 'start',
  escaped: 'start',
  one: 'start',
  two: 'start',
  look: 'added',
  alive: { type: 'probe', id: 'liveness', matched: true },
  ready: { type: 'probe', id: 'readiness', matched: true },
  started: { type: 'probe', id: 'startup', matched: true },
  either: { type: 'probe', id: 'liveness,readiness', matched: true },
  begun: { type: 'lifecycle', id: 'post_start', matched: true },
  ended: { type: 'lifecycle', id: 'pre_stop', matched: true },
  'by-hand': {},
} as const;
type Word = keyof typeof PERMITS;

/** Pods that say the same. */
interface Group {
  readonly words: readonly Word[];
  /** Returns their controllers, as `kind/name`. */
  controllers(pod: string): readonly string[];
}

const withoutLast = (name: string) => name.slice(0, name.lastIndexOf('-'));
const none = () => [];

const GROUPS: Readonly<Record<string, Group>> = {
  batch: { words: ['prepare', 'one', 'two'], controllers: () => ['Job/batch'] },
  clock: {
    words: ['prepare', 'main'],
    controllers: (name) =>
      name.startsWith(DUE) ? [`Job/${DUE}`, 'CronJob/clock'] : ['Job/by-hand'],
  },
  web: {
    words: ['prepare', 'helper', 'main', 'alive', 'ready', 'started', 'begun', 'ended'],
    controllers: (name) => [`ReplicaSet/${withoutLast(name)}`, 'Deployment/web'],
  },
  db: { words: ['prepare', 'main', 'either'], controllers: () => ['StatefulSet/db'] },
  logs: { words: ['main', 'escaped'], controllers: () => ['DaemonSet/logs'] },
  lone: { words: ['one', 'two', 'look', 'by-hand'], controllers: none },
  again: { words: ['again'], controllers: none },
  escaped: { words: ['main', 'escaped'], controllers: none },
  static: { words: ['main'], controllers: () => [`Node/${NODE_NAME}`] },
};

/** Creates pods of all kinds, and waits for none. */
export async function startChains(cluster: Cluster): Promise<void> {
  const target = cluster.component('kubelet').pid;
  await cluster.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'keeper' } },
    batch(),
    clock(),
    web(),
    db(),
    logs(target),
    ...numbered('lone', LONE).map(lone),
    ...numbered('again', 4).map(again),
    ...numbered('escaped', 4).map((name) =>
      grouped('escaped', pod(name, [escaping(target)], HOST)),
    ),
  );
  for (const name of [DUE, 'by-hand'])
    await cluster.kubectl('create', 'job', name, '--from=cronjob/clock');
  const manifest = grouped('static', pod('static', [saying('main', FOREVER)]));
  writeFileSync(`${DIR}/static.json`, JSON.stringify(manifest));
  renameSync(`${DIR}/static.json`, `${STATIC_PODS}/static.json`);
}

/** Waits until the pods have said everything, and ends some of them. Returns their chains. */
export async function endChains(cluster: Cluster): Promise<readonly Chain[]> {
  const names = numbered('lone', LONE);
  await waitForPhase(cluster, 'Running', ...names);
  await Promise.all(names.map((name) => enter(cluster, name)));
  for (const workload of ['deployment/web', 'statefulset/db', 'daemonset/logs'])
    await cluster.kubectl('rollout', 'status', workload);
  const jobs = ['job/batch', `job/${DUE}`, 'job/by-hand'];
  await cluster.kubectl('wait', '--for=condition=Complete', '--timeout=900s', ...jobs);
  await waitForPhase(cluster, 'Succeeded', '--selector=group in (again, escaped)');
  const { items } = await cluster.get<{ items: readonly PodObject[] }>('pods', '--selector=group');
  await cluster.kubectl('delete', 'deployment', 'web', '--cascade=foreground');
  return items.flatMap(chainsOf);
}

/** Enters a pod by hand, and adds a container to it. */
async function enter(cluster: Cluster, name: string): Promise<void> {
  const said = ['/bin/true', 'by-hand', name];
  await cluster.kubectl('exec', name, '--container=two', '--', ...said);
  const debug = [`--image=${TEST_IMAGE}`, '--container=look', '--profile=general'];
  await cluster.kubectl('debug', name, ...debug, '--', '/bin/true', 'look', name);
}

function chainsOf({ metadata, spec }: PodObject): readonly Chain[] {
  const { name, uid, labels = {}, annotations = {} } = metadata;
  const { words, controllers } = GROUPS[labels.group ?? ''] ?? { words: [], controllers: none };
  // The cgroup of a static pod has its own uid, and not that of its mirror pod.
  const ofPod = { type: 'pod', id: annotations['kubernetes.io/config.hash'] ?? uid };
  const account = spec.serviceAccountName;
  const added = account === undefined ? ofPod : { ...ofPod, service_account: account };
  const controller = controllers(name);
  const start = controller.length > 0 ? { ...added, controller } : added;
  return words.flatMap((word) => {
    const permit = PERMITS[word];
    const authority = permit === 'start' ? start : permit === 'added' ? added : permit;
    const chain = { mark: `${word} ${name}`, pod: name, authority };
    return word === 'again' ? [chain, chain] : [chain];
  });
}

/** Returns a command that says a word and the name of its pod in a descendant's arguments. */
function say(word: Word, then = 'exit'): readonly string[] {
  return ['sh', '-c', `/bin/true ${word} $POD; ${then}`];
}

function saying(word: Word, then?: string, more: Manifest = {}): Manifest {
  const env = [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
  return container(word, say(word, then), { env, ...more });
}

/** Returns a container that runs a program in the mount namespace of a process of its node. */
function escaping(target: number, then = 'exit'): Manifest {
  const securityContext = { privileged: true };
  const there = `nsenter -t ${target} -m /bin/true escaped $POD`;
  return saying('main', `${there}; ${then}`, { securityContext });
}

function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${name}-${n}`);
}

const HOST = { hostPID: true, hostNetwork: true, automountServiceAccountToken: false };
const ENDING = { hostNetwork: true, automountServiceAccountToken: false };

function batch(): Manifest {
  const spec = podSpec([saying('one'), saying('two')], {
    ...ENDING,
    initContainers: [saying('prepare')],
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'batch' },
    spec: { completions: BATCH, parallelism: 30, template: template('batch', spec) },
  };
}

function clock(): Manifest {
  const spec = podSpec([saying('main')], { ...ENDING, initContainers: [saying('prepare')] });
  const jobSpec = { completions: 8, parallelism: 8, template: template('clock', spec) };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'clock' },
    spec: { schedule: '* * * * *', suspend: true, jobTemplate: { spec: jobSpec } },
  };
}

function web(): Manifest {
  const main = saying('main', ENDS_ON_TERM, {
    livenessProbe: probe('alive'),
    readinessProbe: probe('ready'),
    startupProbe: { ...probe('started'), periodSeconds: 1 },
    lifecycle: {
      postStart: { exec: { command: say('begun') } },
      preStop: { exec: { command: say('ended') } },
    },
  });
  const spec = podSpec([main], {
    terminationGracePeriodSeconds: 10,
    initContainers: [
      saying('prepare'),
      saying('helper', ENDS_ON_TERM, { restartPolicy: 'Always' }),
    ],
  });
  return workload('Deployment', 'web', spec, { replicas: 6 });
}

function db(): Manifest {
  const probes = { livenessProbe: probe('either'), readinessProbe: probe('either') };
  const spec = podSpec([saying('main', FOREVER, probes)], {
    serviceAccountName: 'keeper',
    initContainers: [saying('prepare')],
  });
  const more = { replicas: 4, serviceName: 'db', podManagementPolicy: 'Parallel' };
  return workload('StatefulSet', 'db', spec, more);
}

function logs(target: number): Manifest {
  return workload('DaemonSet', 'logs', podSpec([escaping(target, FOREVER)], HOST), {});
}

function lone(name: string): Manifest {
  const containers = [saying('one', FOREVER), saying('two', FOREVER)];
  return grouped('lone', pod(name, containers, { shareProcessNamespace: true }));
}

/** Fails at first, so that its container is started a second time. */
function again(name: string): Manifest {
  const main = saying('again', 'test -e /kept/it || { touch /kept/it; exit 1; }', {
    volumeMounts: [{ name: 'kept', mountPath: '/kept' }],
  });
  const volumes = [{ name: 'kept', emptyDir: {} }];
  return grouped('again', pod(name, [main], { volumes, restartPolicy: 'OnFailure' }));
}

function probe(word: Word): Manifest {
  return { exec: { command: say(word) }, periodSeconds: 5 };
}

function workload(kind: string, name: string, spec: Manifest, more: Manifest): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { group: name } },
      template: template(name, { ...spec, restartPolicy: 'Always' }),
      ...more,
    },
  };
}

function template(group: string, spec: Manifest): Manifest {
  return { metadata: { labels: { group } }, spec };
}

function grouped(group: string, manifest: Manifest): Manifest {
  return { ...manifest, metadata: { ...(manifest.metadata as object), labels: { group } } };
}
