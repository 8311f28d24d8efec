import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  RUNTIME_DIRS,
  RUNTIMES,
  readContainerState as readState,
} from '../../../agent/enrich/runtimes/runtimes.ts';
import { POD_UID } from '../../support/ids.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ID = '0123456789abcdef'.repeat(4);
const TASKS = 'io.containerd.runtime.v2.task';
const NOTHING = {
  sandbox: false,
  podNamespace: undefined,
  podName: undefined,
  podUid: undefined,
  name: undefined,
  image: undefined,
  variables: [],
};

const root = temporaryFolder();
let dirs = 0;

/** A state folder with one file in it. */
function dirWith(path: string, content: unknown): string {
  const dir = join(root, `${dirs++}`);
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return dir;
}

function readContainerState(id: string, dirs: readonly string[]) {
  return readState(id, dirs, ['REQUEST_ID', 'OTHER_ID']);
}

function read(path: string, content: unknown) {
  return readContainerState(ID, [dirWith(path, content)]);
}

/** An OCI configuration as runtimes write it, with what must not be kept. */
function oci(annotations: unknown) {
  return {
    ociVersion: '1.1.0',
    process: { args: ['sh', '-c', 'secret-argument'], env: ['PATH=/bin', 'TOKEN=secret-value'] },
    root: { path: 'rootfs' },
    annotations,
  };
}

const CRI = {
  'io.kubernetes.cri.container-name': 'cart',
  'io.kubernetes.cri.container-type': 'container',
  'io.kubernetes.cri.image-name': 'docker.io/library/busybox:1.36',
  'io.kubernetes.cri.sandbox-id': 'f'.repeat(64),
  'io.kubernetes.cri.sandbox-name': 'cart-7d9f-x2x',
  'io.kubernetes.cri.sandbox-namespace': 'shop',
  'io.kubernetes.cri.sandbox-uid': POD_UID,
};

test('containerd’s bundle names the container, in every namespace and version', async () => {
  const state = {
    runtime: 'containerd',
    sandbox: false,
    podNamespace: 'shop',
    podName: 'cart-7d9f-x2x',
    podUid: POD_UID,
    name: 'cart',
    image: 'docker.io/library/busybox:1.36',
    variables: [],
  };
  for (const bundle of [
    `${TASKS}/k8s.io/${ID}`,
    `${TASKS}/other/${ID}`,
    `io.containerd.runtime.v1.linux/k8s.io/${ID}`,
  ])
    deepEqual(await read(`${bundle}/config.json`, oci(CRI)), state, bundle);
  const { 'io.kubernetes.cri.sandbox-uid': _, ...old } = CRI;
  deepEqual(await read(`${TASKS}/k8s.io/${ID}/config.json`, oci(old)), {
    ...state,
    podUid: undefined,
  });
});

test('a sandbox is distinguished from a container', async () => {
  const { 'io.kubernetes.cri.container-name': _, ...sandbox } = {
    ...CRI,
    'io.kubernetes.cri.container-type': 'sandbox',
  };
  const state = await read(`${TASKS}/k8s.io/${ID}/config.json`, oci(sandbox));
  equal(state?.sandbox, true);
  equal(state?.name, undefined);
  equal(state?.podName, 'cart-7d9f-x2x');
});

test('a container without annotations is containerd’s, and one of nerdctl has a name', async () => {
  const file = `${TASKS}/default/${ID}/config.json`;
  deepEqual(await read(file, oci(undefined)), { runtime: 'containerd', ...NOTHING });
  deepEqual((await read(file, oci({ 'nerdctl/name': 'web' })))?.name, 'web');
});

test('CRI-O’s names come from the kubelet, and not from a pod’s own annotations', async () => {
  const annotations = {
    'io.kubernetes.cri-o.Labels': '{"io.kubernetes.pod.name":"forged"}',
    'io.kubernetes.cri.sandbox-name': 'forged',
    'io.kubernetes.cri-o.ContainerType': 'container',
    'io.kubernetes.cri-o.ImageName': 'quay.io/shop/cart:2',
    'io.kubernetes.container.name': 'cart',
    'io.kubernetes.pod.name': 'cart-0',
    'io.kubernetes.pod.namespace': 'shop',
    'io.kubernetes.pod.uid': POD_UID,
  };
  const file = `overlay-containers/${ID}/userdata/config.json`;
  const state = {
    runtime: 'cri-o',
    sandbox: false,
    podNamespace: 'shop',
    podName: 'cart-0',
    podUid: POD_UID,
    name: 'cart',
    image: 'quay.io/shop/cart:2',
    variables: [],
  };
  deepEqual(await read(file, oci(annotations)), state);
  const sandbox = {
    ...annotations,
    'io.kubernetes.cri-o.ContainerType': 'sandbox',
    'io.kubernetes.container.name': 'POD',
  };
  deepEqual(await read(file, oci(sandbox)), { ...state, sandbox: true, name: undefined });
});

for (const driver of ['vfs', 'btrfs', 'zfs'])
  test(`CRI-O’s and podman’s files are found in the storage of ${driver}`, async () => {
    const file = `${driver}-containers/${ID}/userdata/config.json`;
    const annotations = { 'io.kubernetes.cri-o.ContainerType': 'container' };
    equal((await read(file, oci(annotations)))?.runtime, 'cri-o');
    equal((await read(file, oci({})))?.runtime, 'podman');
    // beside that of another driver, which knows the container no longer
    const dir = dirWith(file, oci(annotations));
    mkdirSync(join(dir, `overlay-containers/${ID}/userdata`), { recursive: true });
    equal((await readContainerState(ID, [dir]))?.runtime, 'cri-o');
    equal(await read(`${driver}-layers/${ID}/userdata/config.json`, oci(annotations)), undefined);
  });

for (const [image, kept] of [
  ['[2001:db8::1]:5000/shop/cart:2', true],
  ['[::1]/cart@sha256:ab', true],
  ['localhost:5000/cart', true],
  ['[2001:db8::1', false],
  ['[]/cart', false],
  ['[fe80::1%eth0]/cart', false],
  ['[example.com]/cart', false],
  ['cart]', false],
] as const)
  test(`the image ${image} is ${kept ? 'kept' : 'no reference'}`, async () => {
    const annotations = { ...CRI, 'io.kubernetes.cri.image-name': image };
    const state = await read(`${TASKS}/k8s.io/${ID}/config.json`, oci(annotations));
    equal(state?.image, kept ? image : undefined);
  });

test('of an id that is no 64 hex digits no file is read', async () => {
  for (const id of ['web', '..', `../${ID}`, ''])
    equal(
      await readContainerState(id, [dirWith(`${TASKS}/k8s.io/${id}/config.json`, oci(CRI))]),
      undefined,
    );
});

test('podman’s file, in the storage that it shares with CRI-O, says that the container is its own', async () => {
  const file = `overlay-containers/${ID}/userdata/config.json`;
  const annotations = { 'io.container.manager': 'libpod' };
  deepEqual(await read(file, oci(annotations)), { runtime: 'podman', ...NOTHING });
  equal(await read(file, 'null'), undefined);
});

test('docker’s file names the container, or the pod for which cri-dockerd made it', async () => {
  const file = `containers/${ID}/config.v2.json`;
  const plain = { Name: '/web', Config: { Image: 'nginx:1', Env: ['A=secret-value'], Labels: {} } };
  deepEqual(await read(file, plain), {
    runtime: 'docker',
    ...NOTHING,
    name: 'web',
    image: 'nginx:1',
    variables: [],
  });
  const Labels = {
    'io.kubernetes.docker.type': 'container',
    'io.kubernetes.container.name': 'cart',
    'io.kubernetes.pod.name': 'cart-0',
    'io.kubernetes.pod.namespace': 'shop',
    'io.kubernetes.pod.uid': POD_UID,
  };
  deepEqual(await read(file, { Name: '/k8s_cart', Config: { Image: 'sha256:ab', Labels } }), {
    runtime: 'docker',
    sandbox: false,
    podNamespace: 'shop',
    podName: 'cart-0',
    podUid: POD_UID,
    name: 'cart',
    image: 'sha256:ab',
    variables: [],
  });
});

test('docker’s own file is preferred to the bundle that containerd has for it', async () => {
  const dir = dirWith(`${TASKS}/moby/${ID}/config.json`, oci({}));
  const docker = dirWith(`containers/${ID}/config.v2.json`, { Name: '/web', Config: {} });
  equal((await readContainerState(ID, [dir, docker]))?.name, 'web');
});

test('neither arguments nor environment are kept', async () => {
  const state = await read(`${TASKS}/k8s.io/${ID}/config.json`, oci(CRI));
  ok(state);
  ok(!JSON.stringify(state).includes('secret'));
});

test('the variables that a container sets are known by name, whichever runtime has it', async () => {
  const large = `BIG=${'x'.repeat(300_000)}`;
  const env = ['PATH=/bin', large, 'REQUEST_ID=secret', 'NOT_REQUEST_ID=1', 'OTHER_ID_2=1'];
  const config = { ...oci(CRI), process: { args: ['sh'], env } };
  const crio = { ...CRI, 'io.kubernetes.cri-o.ContainerType': 'container' };
  for (const [path, content] of [
    [`${TASKS}/k8s.io/${ID}/config.json`, config],
    [`overlay-containers/${ID}/userdata/config.json`, config],
    [`overlay-containers/${ID}/userdata/config.json`, { ...config, annotations: crio }],
    [`containers/${ID}/config.v2.json`, { Name: '/web', Config: { Env: env } }],
  ] as const) {
    const state = await read(path, content);
    deepEqual(state?.variables, ['REQUEST_ID'], path);
    ok(!JSON.stringify(state).includes('secret'));
  }
  for (const env of [undefined, null, 'REQUEST_ID=1', { REQUEST_ID: 1 }]) {
    const state = await read(`${TASKS}/k8s.io/${ID}/config.json`, { process: { env } });
    deepEqual(state?.variables, []);
  }
});

test('hostile content gives no names and does no harm', async () => {
  const file = `${TASKS}/k8s.io/${ID}/config.json`;
  const names = [
    '',
    'a b',
    'a\nb',
    '\u202ename',
    '../x',
    'a'.repeat(513),
    '-a',
    1,
    null,
    {},
    ['a'],
  ];
  for (const name of names) {
    const annotations = Object.fromEntries(Object.keys(CRI).map((key) => [key, name]));
    deepEqual(
      await read(file, oci(annotations)),
      { runtime: 'containerd', ...NOTHING },
      String(name),
    );
  }
  for (const annotations of [[], 'text', 7, null, true])
    deepEqual(await read(file, oci(annotations)), { runtime: 'containerd', ...NOTHING });
  deepEqual(
    await read(file, '{"annotations":{"__proto__":{"io.kubernetes.cri.sandbox-name":"x"}}}'),
    {
      runtime: 'containerd',
      ...NOTHING,
    },
  );
  for (const content of ['', '{', 'null', '[]', '"text"', '7', `${'['.repeat(100_000)}`])
    equal(await read(file, content), undefined, content.slice(0, 10));
});

test('links, pipes, folders and oversized files are not read', async () => {
  const file = `${TASKS}/k8s.io/${ID}/config.json`;
  const target = join(dirWith(file, oci(CRI)), file);
  const linked = dirWith(`${TASKS}/k8s.io/${ID}/other`, '');
  symlinkSync(target, join(linked, file));
  equal(await readContainerState(ID, [linked]), undefined);

  const piped = dirWith(`${TASKS}/k8s.io/${ID}/other`, '');
  execFileSync('mkfifo', [join(piped, file)]);
  equal(await readContainerState(ID, [piped]), undefined);

  equal(await readContainerState(ID, [dirWith(`${file}/inside`, '')]), undefined);

  const large = dirWith(file, oci(CRI));
  truncateSync(join(large, file), 17 << 20);
  equal(await readContainerState(ID, [large]), undefined);
});

test('the names are read of a configuration with an environment of any size', async () => {
  const { process, ...config } = oci(CRI);
  const env = Array.from({ length: 100_000 }, (_, n) => `A${n}="{[\\`);
  const file = `${TASKS}/k8s.io/${ID}/config.json`;
  equal((await read(file, { process: { ...process, env }, ...config }))?.name, 'cart');
  equal((await read(file, { process: { env: ['x'.repeat(9 << 20)] }, ...config }))?.name, 'cart');
});

test('the first folder that has the container counts', async () => {
  const file = `${TASKS}/k8s.io/${ID}/config.json`;
  const known = dirWith(file, oci(CRI));
  equal((await readContainerState(ID, [join(root, 'none'), known]))?.name, 'cart');
  equal(await readContainerState(ID.replace('0', '1'), [known]), undefined);
});

test('no two runtimes claim the same cgroups, and all of their folders are searched', () => {
  const prefixes = RUNTIMES.flatMap(({ cgroupPrefixes }) => cgroupPrefixes);
  deepEqual([...new Set(prefixes)], prefixes);
  deepEqual(RUNTIME_DIRS, [
    '/run/containerd',
    '/run/k3s/containerd',
    '/run/k0s/containerd',
    '/var/snap/microk8s/common/run/containerd',
    '/run/containers/storage',
    '/var/lib/containers/storage',
    '/var/lib/docker',
    '/var/lib/balena-engine',
  ]);
});
