import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { bytesInUse } from '../support/memory.ts';
import { bedOf, HOST_MNT, idOf } from './bed.ts';
import {
  A,
  B,
  containerOf,
  entryOf,
  HASH,
  HOST,
  OTHER_UID,
  podOf,
  podPath,
  RUNTIME,
  stateOf,
  UID,
} from './craft.ts';

test('a process of the host has the host’s resource, whatever its cgroup', () => {
  const bed = bedOf();
  bed.mkdir(50n, '/system.slice/containerd.service');
  deepEqual(bed.place(HOST, HOST), {
    resource: '{"host.name":"node-1","service.name":"of-the-host"}',
    cgroup: '0::/',
    attributes: '',
  });
  equal(bed.place(RUNTIME, HOST).cgroup, '0::/system.slice/containerd.service');
  equal(bed.place(RUNTIME, RUNTIME).attributes, ',"vcml.unit":"containerd.service"');
  equal(bed.place({ cgroup: 999n, mnt: HOST_MNT }, HOST).cgroup, undefined);
});

test('a container’s record combines the facts of the cgroup, the runtime and the API server', () => {
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
  match(place.attributes, /^,"vcml.metadata.state":"complete","vcml.entry":"start",/);
});

test('a container that is known only by its cgroup has its id and the pod’s uid', () => {
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

test('the runtime’s names are complete if no other source is configured', () => {
  const bed = bedOf({ runtimeOnly: true });
  bed.states.set(A, stateOf());
  bed.mkdir(60n, podPath(A));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  const { 'k8s.pod.name': name, 'service.name': service } = JSON.parse(resource);
  deepEqual([name, service], ['cart-1', 'cart-1']);
  equal(attributes, ',"vcml.metadata.state":"complete"');
});

test('a container without a pod has no metadata state, and no pod, whatever its image claims', () => {
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

test('a container whose cgroup names no pod has the one that its runtime made it for', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf());
  bed.mkdir(60n, `/k8s.io/${A}`);
  const at = { cgroup: 60n, mnt: 7 };
  const named = bed.place(at, undefined);
  const { 'k8s.pod.uid': uid, 'k8s.pod.name': name } = JSON.parse(named.resource);
  deepEqual([uid, name], [UID, 'cart-1']);
  equal(named.attributes, ',"vcml.metadata.state":"partial"');

  bed.pods.set(UID, podOf(UID, 'cart-1', [containerOf({ id: A })]));
  bed.enricher.podChanged(UID);
  const complete = bed.place(at, undefined);
  equal(JSON.parse(complete.resource)['service.name'], 'cart-service');
  equal(complete.attributes, ',"vcml.metadata.state":"complete"');
});

for (const [what, path, runtime] of [
  ['docker', `/docker/${A}`, 'docker'],
  ['podman, whose file looks like one of CRI-O', `/machine.slice/libpod-${A}.scope`, 'cri-o'],
  ['another client of containerd', `/default/${A}`, 'containerd'],
  ['CRI-O, with a file of containerd', `/system.slice/crio-${A}.scope`, 'containerd'],
  ['a service', `/system.slice/a.service/crio-${A}.scope`, 'cri-o'],
] as const)
  test(`an image that claims a pod names none in a container of ${what}`, () => {
    const bed = bedOf();
    bed.states.set(A, stateOf({ runtime }));
    bed.pods.set(UID, podOf(UID, 'cart-1', [containerOf({ id: A })]));
    bed.mkdir(60n, path);
    const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
    deepEqual(resource.match(/k8s\.(pod|namespace)/g), null);
    equal(attributes, '');
  });

for (const [image, name, tags] of [
  ['[2001:db8::1]:5000/shop/cart:2@sha256:ab', '[2001:db8::1]:5000/shop/cart', ['2']],
  ['[2001:db8::1]:5000/shop/cart', '[2001:db8::1]:5000/shop/cart', undefined],
  ['[::1]/cart', '[::1]/cart', undefined],
  ['localhost:5000/cart', 'localhost:5000/cart', undefined],
  ['cart:2', 'cart', ['2']],
] as const)
  test(`the image ${image} has the name ${name}`, () => {
    const bed = bedOf();
    bed.states.set(A, stateOf({ image }));
    bed.mkdir(60n, podPath(A));
    const resource = JSON.parse(bed.place({ cgroup: 60n, mnt: 7 }, undefined).resource);
    equal(resource['container.image.name'], name);
    deepEqual(resource['container.image.tags'], tags);
  });

test('files and pods that do not agree with the cgroup are ignored', () => {
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

test('a pod that is created again under its name is another pod with other containers', () => {
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

test('a restarted container does not have its predecessor’s restart count', () => {
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

test('facts that become known later are in later records', () => {
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

test('a sandbox is complete although it is not one of the pod’s containers', () => {
  const bed = bedOf();
  bed.states.set(A, stateOf({ sandbox: true, name: undefined, image: undefined }));
  bed.pods.set(UID, podOf(UID, 'cart-1'));
  bed.mkdir(60n, podPath(A));
  const { resource, attributes } = bed.place({ cgroup: 60n, mnt: 7 }, undefined);
  equal(JSON.parse(resource)['vcml.container.type'], 'sandbox');
  equal(JSON.parse(resource)['k8s.container.name'], undefined);
  equal(attributes, ',"vcml.metadata.state":"complete"');
});

/**
 * Returns how a chain entered the container, or `host` for a record that is not the container's.
 */
test('of a removed container only the fact that it had started is kept', () => {
  const bed = bedOf();
  const inside = { cgroup: 60n, mnt: 7 };
  bed.mkdir(60n, podPath(A));
  bed.place(inside, RUNTIME);
  bed.rmdir(60n);
  deepEqual(bed.enricher.started, []);
  equal(entryOf(bed.place(inside, RUNTIME)), 'exec');
});

test('a reused id has the new cgroup’s name', () => {
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

test('a reused id has the new cgroup’s name even if the old cgroup’s removal was lost', () => {
  const bed = bedOf();
  const at = { cgroup: 60n, mnt: 7 };
  bed.mkdir(60n, podPath(A));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], A);
  bed.mkdir(60n, podPath(B));
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], B);
  bed.mkdir(60n, '/system.slice/a.service');
  equal(JSON.parse(bed.place(at, undefined).resource)['container.id'], undefined);
});

test('the cgroup that names a container is found in any hierarchy', () => {
  const bed = bedOf({ v1: true });
  bed.mkdir(60n, '/system.slice/containerd.service');
  bed.mkdir(61n, podPath(A), 4);
  bed.mkdir(62n, '/', 8);
  const spot = { cgroup: 60n, mnt: 7, memory: 61n, pids: 1n };
  const { resource, cgroup } = bed.place(spot, undefined);
  equal(JSON.parse(resource)['container.id'], A);
  equal(cgroup, `4:memory:${podPath(A)}`);
});

test('five hundred pods leave nothing behind after they are removed', () => {
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

test('a record whose cgroup is unknown states none, because it may be a container’s', () => {
  const bed = bedOf({ v1: true });
  bed.mkdir(60n, '/system.slice/containerd.service');
  const at = { cgroup: 60n, mnt: 7, memory: 61n, pids: 1n };
  equal(bed.place(at, undefined).cgroup, undefined);
  equal(bed.enricher.unknownPlaces, 1);
  bed.mkdir(61n, podPath(A), 4);
  equal(bed.place(at, undefined).cgroup, `4:memory:${podPath(A)}`);
  equal(bed.enricher.unknownPlaces, 1, 'counted by a metric');
});

test('the memory for places is bounded, however long the paths of their cgroups are', () => {
  const bed = bedOf();
  bed.names.set('0:9', { parent: 1n, name: '\\xff'.repeat(1000), maker: 'privileged' });
  // Each mount namespace is another context, with the text of its own cgroup.
  const record = (n: number) => Buffer.from(bed.place({ cgroup: 9n, mnt: n }, HOST).cgroup ?? '');
  equal(record(0).length, '0::/'.length + 4000);
  const before = bytesInUse();
  for (let n = 1; n <= 8000; n++) record(n);
  const kept = bytesInUse() - before;
  ok(kept < 16 << 20, `${(kept / 2 ** 20).toFixed(1)} MiB`);
  record(0);
});
