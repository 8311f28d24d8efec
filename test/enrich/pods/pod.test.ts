import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { createGlobs } from '../../../agent/enrich/pods/globs.ts';
import { bytesOf, type Pod, type PodKeys, slimPod } from '../../../agent/enrich/pods/pod.ts';
import { podShape } from '../../../agent/enrich/pods/pod-shape.ts';
import { JsonSieve } from '../../../agent/kube/json-sieve.ts';
import { POD_UID } from '../../support/ids.ts';
import { bytesInUse } from '../../support/memory.ts';
import { containerOf } from '../craft.ts';

const HASH = '3f2a9c1b7d6e5f4a3b2c1d0e9f8a7b6c';
const NO_KEYS: PodKeys = { label: () => false, annotation: () => false };

function slimmed(pod: V1Pod, keys = NO_KEYS, nodeUid?: string): Pod | undefined {
  return slimPod(pod, { keys, nodeName: 'node-1', nodeUid });
}

/** Reads a pod's JSON as the sources do. */
function read(pod: object, keys = NO_KEYS, nodeUid?: string): Pod | undefined {
  const sieve = new JsonSieve(podShape(keys));
  sieve.write(Buffer.from(JSON.stringify(pod)));
  const { value, isCut } = sieve.end() ?? {};
  return slimPod(value as V1Pod, { keys, nodeName: 'node-1', nodeUid }, isCut);
}

interface Given {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** A pod as the API server sends it: JSON. */
function podOf({ metadata, spec, status }: Given = {}): V1Pod {
  return {
    metadata: {
      uid: POD_UID,
      namespace: 'shop',
      name: 'cart-7d9f-x2x',
      creationTimestamp: '2026-01-31T11:59:30Z',
      ...metadata,
    },
    spec: { containers: [{ name: 'cart', image: 'shop/cart:2' }], ...spec },
    status: { startTime: '2026-01-31T12:00:00Z', ...status },
  } as unknown as V1Pod;
}

function attributesOf(given: Given, keys = NO_KEYS): Readonly<Record<string, string>> {
  const pod = read(podOf(given), keys);
  deepEqual(pod, slimmed(podOf(given), keys));
  return pod?.attributes ?? {};
}

function owner(kind: string, name: string, apiVersion = 'apps/v1') {
  return { ownerReferences: [{ apiVersion, kind, name, uid: `uid-of-${name}`, controller: true }] };
}

test('a pod without an owner is its own service', () => {
  deepEqual(read(podOf()), {
    uid: POD_UID,
    namespace: 'shop',
    name: 'cart-7d9f-x2x',
    attributes: {
      'k8s.pod.start_time': '2026-01-31T12:00:00Z',
      'service.name': 'cart-7d9f-x2x',
    },
    containers: [containerOf()],
    isOver: false,
    isReduced: false,
  });
});

test('a typed pod with dates gives the same as its JSON', () => {
  const status = { startTime: new Date('2026-01-31T12:00:00Z') };
  const metadata = { creationTimestamp: new Date('2026-01-31T11:59:30Z') };
  deepEqual(slimmed(podOf({ metadata, status })), read(podOf()));
});

/** The longest name of a Deployment that is not cut, with a hash of four digits. */
const LONG = 'x'.repeat(247);

test('owners are named up to the Deployment and the CronJob', () => {
  const due = Date.parse('2026-01-31T11:59:00Z') / 60_000;
  const cases: readonly [metadata: object, owners: Record<string, string>, service: string][] = [
    [
      { ...owner('ReplicaSet', 'cart-7d9f'), labels: { 'pod-template-hash': '7d9f' } },
      {
        'k8s.replicaset.name': 'cart-7d9f',
        'k8s.replicaset.uid': 'uid-of-cart-7d9f',
        'k8s.deployment.name': 'cart',
      },
      'cart',
    ],
    [
      owner('ReplicaSet', 'bare-7d9f'),
      { 'k8s.replicaset.name': 'bare-7d9f', 'k8s.replicaset.uid': 'uid-of-bare-7d9f' },
      'bare-7d9f',
    ],
    [
      { ...owner('ReplicaSet', 'cart-other'), labels: { 'pod-template-hash': '7d9f' } },
      { 'k8s.replicaset.name': 'cart-other', 'k8s.replicaset.uid': 'uid-of-cart-other' },
      'cart-other',
    ],
    [
      owner('StatefulSet', 'db'),
      { 'k8s.statefulset.name': 'db', 'k8s.statefulset.uid': 'uid-of-db' },
      'db',
    ],
    [
      owner('DaemonSet', 'log'),
      { 'k8s.daemonset.name': 'log', 'k8s.daemonset.uid': 'uid-of-log' },
      'log',
    ],
    [
      owner('Job', `report-${due}`, 'batch/v1'),
      {
        'k8s.job.name': `report-${due}`,
        'k8s.job.uid': `uid-of-report-${due}`,
        'k8s.cronjob.name': 'report',
      },
      'report',
    ],
    // Kubernetes has cut the Deployment's name, so that it is not known.
    [
      { ...owner('ReplicaSet', `${LONG}a-7d9f`), labels: { 'pod-template-hash': '7d9f' } },
      {
        'k8s.replicaset.name': `${LONG}a-7d9f`,
        'k8s.replicaset.uid': `uid-of-${LONG}a-7d9f`,
      },
      `${LONG}a-7d9f`,
    ],
    [
      { ...owner('ReplicaSet', `${LONG}-7d9f`), labels: { 'pod-template-hash': '7d9f' } },
      {
        'k8s.replicaset.name': `${LONG}-7d9f`,
        'k8s.replicaset.uid': `uid-of-${LONG}-7d9f`,
        'k8s.deployment.name': LONG,
      },
      LONG,
    ],
    // A Job that only resembles a CronJob's.
    [
      owner('Job', 'report-20260131', 'batch/v1'),
      { 'k8s.job.name': 'report-20260131', 'k8s.job.uid': 'uid-of-report-20260131' },
      'report-20260131',
    ],
    [
      owner('Job', `report-${due + 5}`, 'batch/v1'),
      { 'k8s.job.name': `report-${due + 5}`, 'k8s.job.uid': `uid-of-report-${due + 5}` },
      `report-${due + 5}`,
    ],
    // Kinds of others, and owners that control nothing.
    [owner('Rollout', 'cart', 'argoproj.io/v1alpha1'), {}, 'cart-7d9f-x2x'],
    [owner('Job', 'forged', 'example.com/v1'), {}, 'cart-7d9f-x2x'],
    [owner('toString', 'x'), {}, 'cart-7d9f-x2x'],
    [
      { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'a', uid: 'b' }] },
      {},
      'cart-7d9f-x2x',
    ],
  ];
  for (const [metadata, owners, service] of cases) {
    const { 'k8s.pod.start_time': _, ...attributes } = attributesOf({ metadata });
    deepEqual(attributes, { ...owners, 'service.name': service });
  }
});

test('service.name comes from the annotation, else from kept labels, else from owners', () => {
  const labels = {
    'app.kubernetes.io/instance': 'cart-eu',
    'app.kubernetes.io/name': 'cart-app',
    'pod-template-hash': '7d9f',
  };
  const annotations = { 'resource.opentelemetry.io/service.name': 'cart-service' };
  const owned = owner('ReplicaSet', 'cart-7d9f');
  const all = { label: createGlobs(['app.kubernetes.io/*']), annotation: () => false };
  const name = { label: createGlobs(['app.kubernetes.io/name']), annotation: () => false };
  const service = (metadata: object, keys = NO_KEYS) =>
    attributesOf({ metadata }, keys)['service.name'];
  equal(service({ ...owned, labels, annotations }, all), 'cart-service');
  equal(service({ ...owned, labels }, all), 'cart-eu');
  equal(service({ ...owned, labels }, name), 'cart-app');
  equal(service({ ...owned, labels }), 'cart');
});

test('only the configured labels and annotations are kept', () => {
  const metadata = {
    labels: { team: 'shop', 'app.kubernetes.io/name': 'cart', other: 'x' },
    annotations: { owner: 'ann', 'kubectl.kubernetes.io/last-applied-configuration': '{…}' },
  };
  const keys = { label: createGlobs(['team', 'app.*']), annotation: createGlobs(['owner']) };
  const { 'k8s.pod.start_time': _, 'service.name': __, ...kept } = attributesOf({ metadata }, keys);
  deepEqual(kept, {
    'k8s.pod.label.team': 'shop',
    'k8s.pod.label.app.kubernetes.io/name': 'cart',
    'k8s.pod.annotation.owner': 'ann',
  });
});

test('an annotation that is too long is omitted, and later ones are kept', () => {
  const metadata = { annotations: { long: 'x'.repeat(262_144), short: 'y' } };
  const kept = attributesOf({ metadata }, { label: () => false, annotation: () => true });
  equal(kept['k8s.pod.annotation.long'], undefined);
  equal(kept['k8s.pod.annotation.short'], 'y');
});

test('containers have their types, and their states are matched by id', () => {
  const pod = read(
    podOf({
      spec: {
        initContainers: [{ name: 'setup' }, { name: 'proxy', restartPolicy: 'Always' }],
        containers: [{ name: 'cart', image: 'shop/cart:2' }],
        ephemeralContainers: [{ name: 'debugger', image: 'busybox' }],
      },
      status: {
        initContainerStatuses: [{ name: 'setup', containerID: 'containerd://a1', restartCount: 0 }],
        containerStatuses: [
          {
            name: 'cart',
            containerID: 'containerd://b2',
            imageID: 'docker-pullable://shop/cart@sha256:cc',
            restartCount: 3,
            lastState: { terminated: { containerID: 'containerd://b1' } },
          },
        ],
      },
    }),
    NO_KEYS,
  );
  const none = { image: undefined, id: undefined, imageId: undefined };
  deepEqual(pod?.containers, [
    { ...none, name: 'setup', type: 'init', id: 'a1', restartCount: 0, lastId: undefined },
    { ...none, name: 'proxy', type: 'sidecar', restartCount: undefined, lastId: undefined },
    {
      name: 'cart',
      type: 'regular',
      image: 'shop/cart:2',
      id: 'b2',
      imageId: 'shop/cart@sha256:cc',
      restartCount: 3,
      lastId: 'b1',
    },
    {
      ...none,
      name: 'debugger',
      type: 'ephemeral',
      image: 'busybox',
      restartCount: undefined,
      lastId: undefined,
    },
  ]);
});

const NODE = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'n', controller: true };
const MIRROR = {
  'kubernetes.io/config.mirror': HASH,
  'kubernetes.io/config.hash': HASH,
  'kubernetes.io/config.source': 'file',
};

function mirroredUid(annotations: object, owner: object = NODE): string | undefined {
  return read(podOf({ metadata: { annotations, ownerReferences: [owner] } }))?.mirrors;
}

test('a pod that the kubelet made as the mirror of a static pod has the uid of its cgroups', () => {
  equal(mirroredUid(MIRROR), HASH);
  const uid = '00000000-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
  const named = {
    ...MIRROR,
    'kubernetes.io/config.mirror': uid,
    'kubernetes.io/config.hash': uid,
  };
  equal(mirroredUid(named), uid, 'as on OpenShift, where the file names the uid');
});

for (const [what, annotations, owner] of [
  ['without the mark', { ...MIRROR, 'kubernetes.io/config.mirror': undefined }],
  ['of another configuration', { ...MIRROR, 'kubernetes.io/config.hash': POD_UID }],
  ['from the API server', { ...MIRROR, 'kubernetes.io/config.source': 'api' }],
  ['from nowhere', { ...MIRROR, 'kubernetes.io/config.source': undefined }],
  ['of another node', MIRROR, { ...NODE, name: 'node-2' }],
  ['that its node does not control', MIRROR, { ...NODE, controller: undefined }],
  ['of a ReplicaSet', MIRROR, { ...NODE, apiVersion: 'apps/v1', kind: 'ReplicaSet' }],
  ['of what is no uid', { ...MIRROR, ...bothAre('../../x') }],
] as const)
  test(`a pod ${what} mirrors no static pod`, () => {
    equal(mirroredUid(annotations, owner), undefined);
  });

function bothAre(value: string): object {
  return { 'kubernetes.io/config.mirror': value, 'kubernetes.io/config.hash': value };
}

test('a node of the same name that was there before controls no mirror', () => {
  const pod = podOf({ metadata: { annotations: MIRROR, ownerReferences: [NODE] } });
  equal(read(pod, NO_KEYS, NODE.uid)?.mirrors, HASH);
  equal(read(pod, NO_KEYS, 'another')?.mirrors, undefined);
});

test('an object that is not a pod is ignored', () => {
  for (const object of [{}, { metadata: {} }, { metadata: { uid: POD_UID, name: 'x' } }])
    equal(read(object), undefined);
});

test('a pod takes at most 2 KiB, however large its object is', () => {
  const keys = { label: () => true, annotation: () => true };
  const text = (i: number) =>
    JSON.stringify({
      metadata: {
        uid: POD_UID.replace('8f4a1c9e', `${10_000_000 + i}`),
        namespace: 'shop',
        name: `cart-${i}`,
        creationTimestamp: '2026-01-31T11:59:30Z',
        ...owner('ReplicaSet', `cart-${i}`),
        labels: { 'pod-template-hash': `${i}`, 'app.kubernetes.io/name': 'cart', team: 'shop' },
        annotations: { large: 'x'.repeat(30_000), middle: 'x'.repeat(300) },
        managedFields: [{ manager: 'x'.repeat(2000) }],
      },
      spec: {
        containers: [
          { name: 'cart', image: 'shop/cart:2', env: [{ name: 'A', value: 'x'.repeat(3000) }] },
          { name: 'sidecar', image: 'shop/side:2' },
        ],
      },
      status: {
        startTime: '2026-01-31T12:00:00Z',
        containerStatuses: [
          { name: 'cart', containerID: `containerd://${i}${'a'.repeat(60)}`, imageID: 'sha256:1' },
        ],
      },
    });
  const kept: (Pod | undefined)[] = [];
  for (let i = 0; i < 100; i++) kept.push(read(JSON.parse(text(i)), keys));
  const before = bytesInUse();
  for (let i = 0; i < 1000; i++) kept.push(read(JSON.parse(text(i)), keys));
  const bytes = (bytesInUse() - before) / 1000;
  ok(kept.every((pod) => pod !== undefined));
  ok(bytes < 2048, `${bytes} bytes a pod`);
});

/** As many names as fit into a megabyte. */
const many = Array.from({ length: 60_000 }, (_, n) => ({ name: `c-${n}` }));
const long = 'x'.repeat(1 << 20);
const HOSTILE: readonly [what: string, given: Given][] = [
  ['very many containers', { spec: { containers: many, initContainers: many } }],
  ['a very long image', { spec: { containers: [{ name: 'cart', image: long }] } }],
  ['an owner with a very long name', { metadata: owner('DaemonSet', long) }],
  ['very many owners', { metadata: { ownerReferences: many.map(({ name }) => ({ name })) } }],
  ['states of very many containers', { status: { containerStatuses: many } }],
];
for (const [what, given] of HOSTILE)
  test(`of a pod with ${what} a part is kept, and it says so`, () => {
    for (const pod of [read(podOf(given)), slimmed(podOf(given))]) {
      equal(pod?.name, 'cart-7d9f-x2x');
      ok(pod && bytesOf(pod) < 70 << 10);
      ok(pod.containers.every(({ name }) => name !== ''));
    }
    equal(read(podOf(given))?.isReduced, true);
  });

test('whatever is cut from a pod, no container lacks a name', () => {
  const containers = [{ image: 'shop/cart:2' }, { name: long }, { name: 'cart' }];
  deepEqual(
    read(podOf({ spec: { containers } }))?.containers.map(({ name }) => name),
    ['cart'],
  );
});

test('a pod is over when its containers will never run again', () => {
  const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
  const isOver = (phase: string) => read(podOf({ status: { phase } }))?.isOver;
  deepEqual(phases.map(isOver), [false, false, true, true, false]);
});
