import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { test } from 'node:test';
import type { CgroupMaker } from '../../../record/types.ts';
import { POD_UID } from '../../support/ids.ts';
import { bedOf, idOf } from '../bed.ts';
import { A, containerOf, entryOf, podOf, podPath, RUNTIME, stateOf } from '../craft.ts';

const UID = POD_UID;
const OUTER = idOf('outer');
const SLICE = `kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`;
const SCOPE = `cri-containerd-${A}.scope`;

type Bed = ReturnType<typeof bedOf>;

/** Makes the cgroups of a path one by one, with ids from `first` on; returns the last id. */
function make(
  bed: Bed,
  first: bigint,
  names: readonly (readonly [name: string, maker: CgroupMaker])[],
  { above = '', parent = 1n, events = true } = {},
): bigint {
  let path = above;
  let id = parent;
  for (const [n, [name, maker]] of names.entries()) {
    path += `/${name}`;
    const own = first + BigInt(n);
    bed.names.set(`0:${own}`, { parent: id, name, maker });
    if (events) bed.mkdir(own, path, 0, maker);
    id = own;
  }
  return id;
}

function by(maker: CgroupMaker, path: string) {
  return path.split('/').map((name) => [name, maker] as const);
}

function placeIn(bed: Bed, cgroup: bigint) {
  const { resource, cgroup: line } = bed.place({ cgroup, mnt: 9 }, RUNTIME);
  const { 'container.id': id, 'k8s.pod.uid': podUid, 'k8s.pod.name': pod } = JSON.parse(resource);
  return { id, podUid, pod, line };
}

/** A container of a pod with everything that is known of it. */
function bedWithVictim() {
  const bed = bedOf();
  bed.states.set(A, stateOf({ podUid: UID }));
  bed.pods.set(UID, podOf(UID, 'cart-1', [containerOf({ id: A })]));
  bed.mkdir(60n, podPath(A, UID));
  return { bed, victim: { cgroup: 60n, mnt: 7 } };
}

/** Where somebody may make cgroups: by whom the outer ones are made, what it is, what is forged. */
const FORGED: readonly (readonly [outer: string, id: string | undefined, forged: string])[] = [
  ['lxc.payload.web', 'web', `${SLICE}/${SCOPE}`],
  ['lxc.payload.web', 'web', `kubepods/burstable/pod${UID}/${A}`],
  ['lxc/101', '101', `kubepods.slice/kubepods-burstable.slice/${SLICE}/${SCOPE}`],
  [`machine.slice/libpod-${OUTER}.scope`, OUTER, `container/${SLICE}/${SCOPE}`],
  [`system.slice/docker-${OUTER}.scope`, OUTER, `kubepods/pod${UID}/${A}`],
  [`docker/${OUTER}`, OUTER, `kubelet/kubepods/burstable/pod${UID}/${A}`],
  ['system.slice/x.service', undefined, `${SLICE}/${SCOPE}`],
  ['system.slice/x.service', undefined, `kubepods/burstable/pod${UID}/${A}`],
  ['system.slice/x.service', undefined, `${SLICE}:cri-containerd:${A}`],
  ['system.slice/x.service', undefined, `docker-${A}.scope`],
  ['system.slice/x.service', undefined, `libpod-payload-${A}`],
  ['system.slice/x.service', undefined, `a/docker/${A}`],
  // root without CAP_SYS_ADMIN, to whom the folders at the top belong
  ['kubepods/burstable', undefined, `pod${UID}/${A}`],
  ['system.slice', undefined, `cri-containerd-${A}.scope`],
  ['k8s.io', undefined, A],
];

for (const events of [true, false])
  test(`a cgroup that a container or a service names like a pod’s is not that pod’s${events ? '' : ', if all events were lost'}`, () => {
    for (const [outer, id, forged] of FORGED)
      for (const more of ['', '/init.scope', `/${SLICE}/${SCOPE}`]) {
        const { bed, victim } = bedWithVictim();
        const before = bed.place(victim, victim);
        const top = make(bed, 100n, by('privileged', outer), { events });
        const at = { above: `/${outer}`, parent: top, events };
        const cgroup = make(bed, 200n, by('other', forged + more), at);
        const path = `/${outer}/${forged}${more}`;
        const line = `0::${path}`;
        const place = placeIn(bed, cgroup);
        deepEqual(place, { id, podUid: undefined, pod: undefined, line }, path);
        // The victim is as it was, and its first process is still to come.
        deepEqual(bed.place(victim, victim), before, path);
        equal(entryOf(bed.place(victim, RUNTIME)), 'start', path);
        for (let n = 0; n < 20; n++) bed.rmdir(220n - BigInt(n));
        deepEqual(bed.place(victim, victim), before, path);
      }
  });

test('a machine of systemd-nspawn names no container, although it has privileges', () => {
  for (const outer of ['machine.slice/machine-a.scope', 'machine.slice/systemd-nspawn@a.service']) {
    const { bed } = bedWithVictim();
    const cgroup = make(bed, 100n, by('privileged', `${outer}/payload/${SLICE}/${SCOPE}`));
    equal(placeIn(bed, cgroup).id, undefined);
  }
});

/** Where a kubelet or a runtime of the host has its cgroups, also in a container that is a node. */
const NESTED: readonly (readonly [parent: string, podUid: string | undefined])[] = [
  [`docker/${OUTER}/kubelet/kubepods/burstable/pod${UID}`, UID],
  [`system.slice/docker-${OUTER}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-${SLICE}`, UID],
  [`machine.slice/libpod-${OUTER}.scope/container/kubelet.slice/kubelet-${SLICE}`, UID],
  [`lxc.payload.node/kubepods/besteffort/pod${UID}`, UID],
  [`system.slice/k3s.service/kubepods/pod${UID}`, UID],
  [`custom/root/kubepods/pod${UID}`, UID],
  ['system.slice/web.service/a/docker', undefined],
];

for (const events of [true, false])
  test(`containers of a runtime with privileges are found wherever it nests them${events ? '' : ', by the table alone'}`, () => {
    for (const [parent, podUid] of NESTED) {
      const { bed } = bedWithVictim();
      const own = make(bed, 100n, by('privileged', `${parent}/${A}`), { events });
      const { id, podUid: found, line } = placeIn(bed, own);
      deepEqual([id, found, line], [A, podUid, `0::/${parent}/${A}`]);
      // What the container itself makes below belongs to it.
      const at = { above: `/${parent}/${A}`, parent: own, events };
      const nested = make(bed, 200n, by('other', `kubepods/pod${'0'.repeat(32)}/${OUTER}`), at);
      equal(placeIn(bed, nested).id, A, parent);
    }
  });

test('cgroups of unknown makers count below a service, but not below another container', () => {
  const { bed } = bedWithVictim();
  const service = `system.slice/containerd.service/${SLICE}:cri-containerd:${A}`;
  equal(placeIn(bed, make(bed, 100n, by('unknown', service))).podUid, UID);
  const inner = `docker/${OUTER}/kubelet/kubepods/burstable/pod${UID}/${A}`;
  equal(placeIn(bed, make(bed, 200n, by('unknown', inner))).id, OUTER);
});

test('a cgroup of others is not found by its event if nothing says what is above it', () => {
  const { bed } = bedWithVictim();
  bed.mkdir(200n, `/system.slice/x.service/${SLICE}/${SCOPE}/a`, 0, 'other');
  const place = placeIn(bed, 200n);
  deepEqual(place, { id: undefined, podUid: undefined, pod: undefined, line: undefined });
  bed.mkdir(201n, '/user.slice/user-1000.slice/user@1000.service/a', 0, 'other');
  notEqual(placeIn(bed, 201n).line, undefined);
});
