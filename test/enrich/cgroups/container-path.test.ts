import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { containerOf } from '../../../agent/enrich/cgroups/container-path.ts';
import { POD_UID } from '../../support/ids.ts';

const ID = '0123456789abcdef'.repeat(4);
const INNER = 'f'.repeat(64);
const UNDERSCORED = POD_UID.replaceAll('-', '_');
const HASH = '3f2a9c1b7d6e5f4a3b2c1d0e9f8a7b6c';
const SLICE = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UNDERSCORED}.slice`;

type Found = readonly [path: string, podUid: string | undefined, runtime: string | undefined];

const ROOTS: readonly Found[] = [
  // systemd driver: guaranteed, burstable, best effort
  [
    `/kubepods.slice/kubepods-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    POD_UID,
    'containerd',
  ],
  [`${SLICE}/cri-containerd-${ID}.scope`, POD_UID, 'containerd'],
  [
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    POD_UID,
    'containerd',
  ],
  [`${SLICE}/crio-${ID}.scope`, POD_UID, 'cri-o'],
  [`${SLICE}/docker-${ID}.scope`, POD_UID, 'docker'],
  [`${SLICE}/another-${ID}.scope`, POD_UID, undefined],
  // cgroupfs driver
  [`/kubepods/pod${POD_UID}/${ID}`, POD_UID, undefined],
  [`/kubepods/burstable/pod${POD_UID}/${ID}`, POD_UID, undefined],
  [`/kubepods/besteffort/pod${POD_UID}/${ID}`, POD_UID, undefined],
  [`/kubepods/besteffort/pod${POD_UID}/crio-${ID}`, POD_UID, 'cri-o'],
  [`/kubepods/burstable/pod${POD_UID}/docker-${ID}`, POD_UID, 'docker'],
  // static pods: the hash of the configuration
  [`/kubepods/burstable/pod${HASH}/${ID}`, HASH, undefined],
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${HASH}.slice/crio-${ID}.scope`,
    HASH,
    'cri-o',
  ],
  // a systemd path given to a runtime that takes it for a folder's name
  [
    `/system.slice/containerd.service/kubepods-burstable-pod${UNDERSCORED}.slice:cri-containerd:${ID}`,
    POD_UID,
    'containerd',
  ],
  // prefixed trees: kind, a kubelet of its own root, a configured root
  [`/docker/${INNER}/kubelet/kubepods/burstable/pod${POD_UID}/${ID}`, POD_UID, undefined],
  [
    `/system.slice/docker-${INNER}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    POD_UID,
    'containerd',
  ],
  [`/custom/root/kubepods/pod${POD_UID}/${ID}`, POD_UID, undefined],
  // no Kubernetes
  [`/docker/${ID}`, undefined, 'docker'],
  [`/system.slice/docker-${ID}.scope`, undefined, 'docker'],
  [`/machine.slice/libpod-${ID}.scope`, undefined, 'podman'],
  [`/libpod_parent/libpod-${ID}`, undefined, 'podman'],
  [`/libpod_parent/${INNER}/libpod-${ID}`, undefined, 'podman'],
  [`/machine.slice/machine-libpod_pod_${INNER}.slice/libpod-${ID}.scope`, undefined, 'podman'],
  [`/system.slice/web.service/libpod-payload-${ID}`, undefined, 'podman'],
  [`/ecs/0123456789abcdef0123456789abcdef/${ID}`, undefined, 'docker'],
  [`/ecs/cluster/0123456789abcdef0123456789abcdef/${ID}`, undefined, 'docker'],
  [`/ecstasks.slice/ecstasks-0123456789abcdef.slice/docker-${ID}.scope`, undefined, 'docker'],
  [`/system.slice/nerdctl-${ID}.scope`, undefined, 'containerd'],
  [`/default/${ID}`, undefined, undefined],
  [`/my.slice/docker/${ID}`, undefined, 'docker'],
  // Nomad's docker driver
  [`/nomad.slice/share.slice/docker-${ID}.scope`, undefined, 'docker'],
  // a service that has a runtime's cgroups in its own
  [`/system.slice/a.service/crio-${ID}.scope`, undefined, 'cri-o'],
];

/** Where the kubelet has no cgroups for pods (`cgroups-per-qos=false`). */
const CRI: readonly (readonly [path: string, runtime: string])[] = [
  [`/k8s.io/${ID}`, 'containerd'],
  [`/system.slice/cri-containerd-${ID}.scope`, 'containerd'],
  [`/system.slice/crio-${ID}.scope`, 'cri-o'],
  [`/crio-${ID}`, 'cri-o'],
];

const ALLOCATION = '1f1d4d06-5c2b-4b1e-8a0a-2f0c3d4e5f60';
/** Containers with names of their runtime's own making. */
const NAMED: readonly (readonly [path: string, id: string, runtime: string])[] = [
  ['/lxc.payload.web', 'web', 'lxc'],
  ['/lxc.payload.shop_web-1', 'shop_web-1', 'lxc'],
  ['/lxc/101', '101', 'lxc'],
  [`/nomad.slice/share.slice/${ALLOCATION}.web.scope`, `${ALLOCATION}.web`, 'nomad'],
  [`/nomad.slice/reserve.slice/${ALLOCATION}.a.b.scope`, `${ALLOCATION}.a.b`, 'nomad'],
  [`/nomad/${ALLOCATION}.web`, `${ALLOCATION}.web`, 'nomad'],
];

test('containers are found in the tree of every driver and runtime', () => {
  for (const [path, podUid, runtime] of ROOTS)
    deepEqual(containerOf(path), { id: ID, podUid, runtime, root: path }, path);
});

test('containers that a runtime made for the kubelet are marked where their cgroups name no pod', () => {
  for (const [path, runtime] of CRI)
    deepEqual(
      containerOf(path),
      { id: ID, podUid: undefined, runtime, root: path, isCri: true },
      path,
    );
});

test('containers of LXC and Nomad have the names that these give to their cgroups', () => {
  for (const [path, id, runtime] of NAMED)
    for (const more of ['', '/ns', '/init.scope', `/system.slice/docker-${INNER}.scope`])
      deepEqual(
        containerOf(path + more),
        { id, podUid: undefined, runtime, root: path },
        path + more,
      );
});

test('cgroups inside a container belong to the container', () => {
  const nested = [
    '/init.scope',
    '/container',
    '/system.slice/sshd.service',
    `/kubepods/besteffort/pod${HASH}/${INNER}`,
    `/kubelet.slice/kubepods.slice/kubepods-pod${UNDERSCORED}.slice/cri-containerd-${INNER}.scope`,
    `/docker/${INNER}`,
    `/k8s.io/${INNER}`,
    '/a/b/c/d/e',
  ];
  const pods = ROOTS.filter(([, podUid]) => podUid !== undefined);
  for (const [path, podUid, runtime] of pods)
    for (const more of nested)
      deepEqual(containerOf(path + more), { id: ID, podUid, runtime, root: path }, path + more);
  deepEqual(containerOf(`/docker/${ID}/docker/${INNER}`)?.root, `/docker/${ID}`);
  deepEqual(containerOf(`/machine.slice/libpod-${ID}.scope/container`)?.id, ID);
});

test('monitors, slices, services and garbage are not containers', () => {
  const none = [
    '',
    '/',
    '//',
    ID,
    `/${ID}`,
    '/init.scope',
    '/system.slice/containerd.service',
    '/system.slice/crio.service',
    '/kubelet.slice',
    '/kubelet.slice/kubelet.service',
    '/kubepods',
    '/kubepods/burstable',
    `/kubepods/burstable/pod${POD_UID}`,
    SLICE,
    `${SLICE}/crio-conmon-${ID}.scope`,
    `/kubepods/besteffort/pod${POD_UID}/crio-conmon-${ID}`,
    `/kubepods/besteffort/pod${POD_UID}/shim/${ID}`,
    `${SLICE}/system.slice/docker-${ID}.scope`,
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/system.slice/crio-conmon-${ID}.scope`,
    // ids that are not valid: too short, too long, upper case
    `/docker/${ID.slice(1)}`,
    `/docker/0${ID}`,
    `/docker/${ID.toUpperCase()}`,
    `/kubepods/pod${POD_UID}/${ID}.service`,
    `/kubepods/pod${POD_UID.replaceAll('-', '')}0/${ID}`,
    `/kubepods/pod${POD_UID.slice(1)}/${ID}`,
    `/kubepods/pod8f4a1c9e_2d3b-4c5d-9e8f-0a1b2c3d4e5f/${ID}`,
    `/kubepods/other/pod${POD_UID}/${ID}`,
    // anyone's own session
    `/user.slice/user-1000.slice/user@1000.service/kubepods/pod${POD_UID}/${ID}`,
    `/user.slice/user-1000.slice/user@1000.service/app.slice/${ID}`,
    '/user.slice/user-1000.slice/session-3.scope',
    // and names that anyone may choose there, although rootless podman and docker use them for
    // containers
    ...['cri-containerd', 'docker', 'libpod', 'nerdctl'].map(
      (prefix) => `/user.slice/user-1000.slice/user@1000.service/app.slice/${prefix}-${ID}.scope`,
    ),
    `/user.slice/user-1000.slice/user@1000.service/docker/${ID}`,
    `/user.slice/${ID}`,
    // podman's own pods, and conmon's cgroup beside a quadlet's container
    `/libpod_parent/${ID}`,
    `/libpod_parent/${ID}/conmon`,
    '/system.slice/web.service/runtime',
    `/a/b/${ID}`,
    // LXC's monitors, its own names elsewhere, and what is no name
    '/lxc.monitor.web',
    '/lxc.monitor/101',
    '/lxc/web/monitor',
    '/lxc',
    '/lxc.payload.',
    '/lxc.payload...',
    '/lxc.payload.a b',
    '/lxc/..',
    '/system.slice/a.service/lxc.payload.web',
    '/user.slice/user-1000.slice/user@1000.service/app.slice/lxc.payload.web',
    // Nomad's partitions, its own names elsewhere, and what is no allocation
    '/nomad.slice',
    '/nomad.slice/share.slice',
    '/nomad/share',
    `/nomad.slice/share.slice/${ALLOCATION}.scope`,
    `/nomad.slice/share.slice/${ALLOCATION}.web`,
    `/nomad.slice/other.slice/${ALLOCATION}.web.scope`,
    `/nomad.slice/share.slice/${ALLOCATION.toUpperCase()}.web.scope`,
    `/nomad/${ALLOCATION}`,
    `/a/nomad/${ALLOCATION}.web`,
    // names that were given to ctr or runc
    '/default/web',
    '/system.slice/web',
    `/kubepods/pod${POD_UID}/${ID}\n`,
    `/docker/\\x00${ID}`,
    `${'/a'.repeat(2000)}`,
  ];
  for (const path of none) equal(containerOf(path), undefined, path);
});
