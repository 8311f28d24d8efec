import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../agent/enrich/pods/pod.ts';
import type { ContainerState } from '../../agent/enrich/runtimes/runtime-config.ts';
import { bedOf, HOST_MNT, idOf, type Spot } from './bed.ts';

const UID = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
const OTHER_UID = '00000000-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
const HASH = '3f2a9c1b7d6e5f4a3b2c1d0e9f8a7b6c';
const A = idOf('a');
const B = idOf('b');

const HOST: Spot = { cgroup: 1n, mnt: HOST_MNT };
const RUNTIME: Spot = { cgroup: 50n, mnt: HOST_MNT };

function podPath(id: string, uid = UID): string {
  return `/kubepods/burstable/pod${uid}/${id}`;
}

function podOf(uid: string, name: string, containers: Pod['containers'] = [containerOf()]): Pod {
  return {
    ...{ uid, name, namespace: 'shop', containers },
    attributes: { 'k8s.pod.start_time': '2026-01-31T12:00:00Z', 'service.name': 'cart-service' },
  };
}

function containerOf(more: Partial<Pod['containers'][number]> = {}): Pod['containers'][number] {
  return {
    ...{ name: 'cart', type: 'regular', image: 'shop/cart:2', id: undefined },
    ...{ imageId: undefined, restartCount: undefined, lastId: undefined, ...more },
  };
}

function stateOf(more: Partial<ContainerState> = {}): ContainerState {
  return {
    ...{ runtime: 'containerd', sandbox: false, podNamespace: 'shop', podName: 'cart-1' },
    ...{ podUid: UID, name: 'cart', image: 'docker.io/shop/cart:2', ...more },
  };
}

test('a host’s process has the host’s resource, whatever its cgroup', () => {
  const bed = bedOf();
  bed.mkdir(50n, '/system.slice/containerd.service');
  deepEqual(bed.place(HOST, HOST), {
    resource: '{"host.name":"node-1","service.name":"of-the-host"}',
    cgroup: '0::/',
    attributes: '',
  });
  equal(bed.place(RUNTIME, HOST).cgroup, '0::/system.slice/containerd.service');
  equal(bed.place(RUNTIME, HOST).attributes, '');
  equal(bed.place({ cgroup: 999n, mnt: HOST_MNT }, HOST).cgroup, undefined);
});

test('a container’s record has what the cgroup, the runtime and the API server know', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf());
  const status = containerOf({ id: A, imageId: 'sha256:cc', restartCount: 3 });
  bed.pods.set(UID, podOf(UID, 'cart-1', [status]));
  bed.mkdir(60n, podPath(A));
  const place = bed.place({ cgroup: 60n, mnt: 7 }, RUNTIME);
  deepEqual(JSON.parse(place.resource), {
    'host.name': 'node-1',
    'container.id': A,
    'container.name': 'cart',
    'container.image.name': 'docker.io/shop/cart',
    'container.image.tags': ['2'],
    'container.image.id': 'sha256:cc',
    'container.runtime.name': 'containerd',
    'vcml.container.type': 'regular',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'cart-1',
    'k8s.pod.uid': UID,
    'k8s.container.name': 'cart',
    'k8s.container.restart_count': 3,
    'service.name': 'cart-service',
    'k8s.pod.start_time': '2026-01-31T12:00:00Z',
  });
  equal(place.cgroup, `0::${podPath(A)}`);
  equal(place.attributes, ',"vcml.metadata.state":"complete","vcml.entry":"start"');
});

test('without anything but the cgroup, its id and the pod’s uid are there', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  deepEqual(JSON.parse(resource), {
    'host.name': 'node-1',
    'container.id': A,
    'k8s.pod.uid': UID,
  });
  equal(attributes, ',"vcml.metadata.state":"partial"');
});

test('the runtime’s names are complete where nothing else is asked for', () => {
  const bed = bedOf({ runtimeOnly: true });
  bed.states.set(A, stateOf());
  bed.mkdir(60n, podPath(A));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  const { 'k8s.pod.name': name, 'service.name': service } = JSON.parse(resource);
  deepEqual([name, service], ['cart-1', 'cart-1']);
  equal(attributes, ',"vcml.metadata.state":"complete"');
});

test('a container without a pod has no metadata state, and no pod whatever its image claims', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf({ runtime: 'docker', podUid: undefined, name: 'web' }));
  bed.mkdir(60n, `/docker/${A}`);
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  deepEqual(JSON.parse(resource), {
    'host.name': 'node-1',
    'container.id': A,
    'container.name': 'web',
    'container.image.name': 'docker.io/shop/cart',
    'container.image.tags': ['2'],
    'container.runtime.name': 'docker',
  });
  equal(attributes, '');
});

test('files or pods that do not agree with the cgroup are somebody else’s', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf({ podUid: OTHER_UID, podName: 'forged' }));
  bed.mkdir(60n, podPath(A));
  ok(!bed.place({ cgroup: 60n, mnt: 7 }, undefined).resource.includes('forged'));

  bed.states.set(B, stateOf());
  bed.pods.set(UID, podOf(UID, 'another'));
  bed.mkdir(61n, podPath(B));
  const place = bed.place({ cgroup: 61n, mnt: 7 }, undefined);
  equal(JSON.parse(place.resource)['k8s.pod.name'], 'cart-1');
  equal(place.attributes, ',"vcml.metadata.state":"partial"');
});

test('a pod that is made again under its name is another, in its containers too', () => {
  const bed = bedOf();
  bed.pods.set(UID, podOf(UID, 'cart-1', [containerOf({ id: A })]));
  bed.pods.set(OTHER_UID, podOf(OTHER_UID, 'cart-1', [containerOf({ id: B })]));
  bed.mkdir(60n, podPath(A));
  bed.mkdir(61n, podPath(B, OTHER_UID));
  const uidAt = (cgroup: bigint) =>
    JSON.parse(bed.place({ cgroup, mnt: 7 }, undefined).resource)['k8s.pod.uid'];
  equal(uidAt(60n), UID);
  equal(uidAt(61n), OTHER_UID);
});

test('a restarted container does not take its predecessor’s count', () => {
  const bed = bedOf();
  const status = containerOf({ id: B, restartCount: 1, imageId: 'sha256:cc', lastId: A });
  bed.pods.set(UID, podOf(UID, 'cart-1', [status]));
  bed.mkdir(60n, podPath(A));
  bed.mkdir(61n, podPath(B));
  const countAt = (cgroup: bigint) => {
    const resource = JSON.parse(bed.place({ cgroup, mnt: 7 }, undefined).resource);
    equal(resource['k8s.container.name'], 'cart');
    return resource['k8s.container.restart_count'];
  };
  equal(countAt(60n), undefined);
  equal(countAt(61n), 1);
});

test('a static pod is found by its hash', () => {
  const bed = bedOf();
  bed.pods.set(HASH, podOf(HASH, 'etcd-node-1', [containerOf({ id: A })]));
  bed.mkdir(60n, podPath(A, HASH));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  equal(JSON.parse(resource)['k8s.pod.name'], 'etcd-node-1');
  equal(attributes, ',"vcml.metadata.state":"complete"');
});

test('what comes to be known later serves later records', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf());
  bed.mkdir(60n, podPath(A));
  const spot = { cgroup: 60n, mnt: 7 };
  equal(bed.place(spot, undefined).attributes, ',"vcml.metadata.state":"partial"');
  bed.pods.set(UID, podOf(UID, 'cart-1'));
  bed.enricher.podChanged(UID);
  equal(bed.place(spot, undefined).attributes, ',"vcml.metadata.state":"complete"');
  equal(JSON.parse(bed.place(spot, undefined).resource)['service.name'], 'cart-service');
});

test('a sandbox is complete without being one of the pod’s containers', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf({ sandbox: true, name: undefined, image: undefined }));
  bed.pods.set(UID, podOf(UID, 'cart-1'));
  bed.mkdir(60n, podPath(A));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  equal(JSON.parse(resource)['vcml.container.type'], 'sandbox');
  equal(JSON.parse(resource)['k8s.container.name'], undefined);
  equal(attributes, ',"vcml.metadata.state":"complete"');
});

/** What is said of how a chain came in, or `host` for a record that is not the container's. */
function entryOf({ attributes }: { attributes: string }): string {
  if (!attributes.includes('vcml.metadata.state')) return 'host';
  return /"vcml.entry":"(\w+)"/.exec(attributes)?.[1] ?? 'descendant';
}

test('the first entry is the start, later ones are execs, and descendants are none', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const init = { cgroup: 60n, mnt: HOST_MNT };
  const inside = { cgroup: 60n, mnt: 7 };
  const steps: readonly [at: Spot, from: Spot | undefined, entry: string][] = [
    [init, RUNTIME, 'host'],
    [inside, init, 'start'],
    [inside, inside, 'descendant'],
    [init, RUNTIME, 'host'],
    [inside, init, 'exec'],
    [inside, RUNTIME, 'exec'],
    [inside, inside, 'descendant'],
    [{ cgroup: 60n, mnt: 8 }, inside, 'descendant'],
    // out into the host's mount namespace, and what is run there
    [init, inside, 'descendant'],
    [init, init, 'descendant'],
  ];
  for (const [at, from, entry] of steps) equal(entryOf(bed.place(at, from)), entry);
});

test('what has no known cause is no entry', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, undefined)), 'descendant');
});

test('coming from another container is an entry, from a cgroup nested in the same one is not', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  bed.mkdir(61n, `${podPath(A)}/system.slice/a.service`);
  bed.mkdir(70n, podPath(B));
  const inside = { cgroup: 60n, mnt: 7 };
  const nested = { cgroup: 61n, mnt: 7 };
  equal(entryOf(bed.place(inside, { cgroup: 70n, mnt: 8 })), 'start');
  equal(entryOf(bed.place(nested, inside)), 'descendant');
  equal(entryOf(bed.place(inside, nested)), 'descendant');
  bed.rmdir(61n);
  equal(entryOf(bed.place(inside, nested)), 'descendant', 'also when that cgroup is gone');
});

test('a runtime in a mount namespace of its own is outside', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const snap = { cgroup: 50n, mnt: 5 };
  const init = { cgroup: 60n, mnt: 5 };
  equal(entryOf(bed.place(init, snap)), 'host');
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, init)), 'start');
  equal(entryOf(bed.place(init, snap)), 'host');
  equal(entryOf(bed.place({ cgroup: 60n, mnt: 7 }, init)), 'exec');
});

test('who sneaks into a container’s mount namespace does not make it the host’s', () => {
  const bed = bedOf();
  bed.mkdir(60n, podPath(A));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(bed.place(inside, RUNTIME)), 'start');
  equal(entryOf(bed.place(inside, { cgroup: 50n, mnt: 7 })), 'host');
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
});

test('“first” survives the agent’s restart', () => {
  const first = bedOf();
  first.mkdir(60n, podPath(A));
  first.mkdir(61n, podPath(B));
  const inside = { cgroup: 60n, mnt: 7 };
  equal(entryOf(first.place(inside, RUNTIME)), 'start');
  const { started } = first.enricher;
  deepEqual(started, [`${UID}/${A}`]);

  const second = bedOf({ started });
  second.mkdir(60n, podPath(A));
  second.mkdir(61n, podPath(B));
  equal(entryOf(second.place(inside, RUNTIME)), 'exec');
  equal(entryOf(second.place({ cgroup: 61n, mnt: 7 }, RUNTIME)), 'start');
});

test('of a container that is gone nothing is kept but that it had started', () => {
  const bed = bedOf();
  const inside = { cgroup: 60n, mnt: 7 };
  bed.mkdir(60n, podPath(A));
  bed.place(inside, RUNTIME);
  bed.rmdir(60n);
  deepEqual(bed.enricher.started, []);
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
});

test('an id that is given again has the new cgroup’s name', () => {
  const bed = bedOf();
  const at = { cgroup: 60n, mnt: 7 };
  bed.mkdir(60n, podPath(A));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], A);
  bed.rmdir(60n);
  bed.mkdir(60n, podPath(B));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], B);
  bed.rmdir(60n);
  bed.mkdir(60n, '/system.slice/a.service');
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], undefined);
  bed.rmdir(60n);
  bed.mkdir(60n, podPath(A));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], A);
});

test('an id that is given again has the new cgroup’s name, also when the end of the old one was lost', () => {
  const bed = bedOf();
  const at = { cgroup: 60n, mnt: 7 };
  bed.mkdir(60n, podPath(A));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], A);
  bed.mkdir(60n, podPath(B));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], B);
  bed.mkdir(60n, '/system.slice/a.service');
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], undefined);
});

test('a record waits until its container’s metadata is complete, and no longer than configured', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.states.set(A, stateOf());
  bed.mkdir(60n, podPath(A));
  const at = { cgroup: 60n, mnt: 7 };
  equal(bed.wait(HOST, 10, 10), 0);
  equal(bed.wait({ cgroup: 60n, mnt: HOST_MNT }, 10, 10), 0, 'the runtime’s own');
  equal(bed.wait(at, 10, 10), 1000);
  equal(bed.wait(at, 10, 10.4), 600);
  // Others of the same container have the same time.
  equal(bed.wait(at, 10.3, 10.9), 100);
  bed.pods.set(UID, podOf(UID, 'cart-1'));
  equal(bed.wait(at, 10, 10.95), 0);
  equal(bed.place(at, undefined).attributes, ',"vcml.metadata.state":"complete"');
});

test('a container is waited for once', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.mkdir(60n, podPath(A));
  const at = { cgroup: 60n, mnt: 7 };
  equal(bed.wait(at, 10, 10), 1000);
  equal(bed.wait(at, 10, 11), 0);
  equal(bed.wait(at, 20, 20), 0);
  // The next container's first event is that old too: delays do not add up.
  bed.mkdir(61n, podPath(B));
  equal(bed.wait({ cgroup: 61n, mnt: 7 }, 10.2, 11), 200);
});

test('nobody waits for a source that cannot be reached, for no source, or for a plain container', () => {
  const at = { cgroup: 60n, mnt: 7 };
  const unreachable = bedOf({ waitMs: 1000, state: 'unreachable' });
  unreachable.mkdir(60n, podPath(A));
  equal(unreachable.wait(at, 10, 10), 0);
  const never = bedOf({ waitMs: 0 });
  never.mkdir(60n, podPath(A));
  equal(never.wait(at, 10, 10), 0);
  const plain = bedOf({ waitMs: 1000 });
  plain.mkdir(60n, `/docker/${A}`);
  equal(plain.wait(at, 10, 10), 0);
});

test('as long as the source has not answered at all, records wait for it', () => {
  const bed = bedOf({ waitMs: 1000, state: 'starting' });
  bed.mkdir(60n, podPath(A));
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 10), 5000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 14, 14), 1000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 15, 15), 0);
});

test('what had gathered before the agent came waits as well', () => {
  const bed = bedOf({ waitMs: 1000 });
  bed.mkdir(60n, podPath(A));
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 500), 1000);
  equal(bed.wait({ cgroup: 60n, mnt: 7 }, 10, 501), 0);
});

test('the cgroup that names a container is found in whichever hierarchy has it', () => {
  const bed = bedOf({ v1: true });
  bed.mkdir(60n, '/system.slice/containerd.service');
  bed.mkdir(61n, podPath(A), 4);
  bed.mkdir(62n, '/', 8);
  const spot = { cgroup: 60n, mnt: 7, memory: 61n, pids: 1n };
  const { resource, cgroup } = bed.place(spot, undefined);
  equal(JSON.parse(resource)['container.id'], A);
  equal(cgroup, `4:memory:${podPath(A)}`);
});

test('five hundred pods that come and go leave nothing behind', () => {
  const bed = bedOf();
  for (let i = 0; i < 500; i++) {
    const id = idOf(`${i}-`);
    bed.states.set(id, stateOf());
    bed.mkdir(BigInt(100 + i), podPath(id));
    const at = { cgroup: BigInt(100 + i), mnt: 7 };
    equal(entryOf(bed.place(at, RUNTIME)), 'start');
    bed.rmdir(BigInt(100 + i));
  }
  deepEqual(bed.enricher.started, []);
});

test('where a cgroup is not known, which may be a container’s, none is said', () => {
  const bed = bedOf({ v1: true });
  bed.mkdir(60n, '/system.slice/containerd.service');
  const at = { cgroup: 60n, mnt: 7, memory: 61n, pids: 1n };
  equal(bed.place(at, undefined).cgroup, undefined);
  bed.mkdir(61n, podPath(A), 4);
  equal(bed.place(at, undefined).cgroup, `4:memory:${podPath(A)}`);
});
