import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import type { V1Pod } from '@kubernetes/client-node';
import { digestOf } from '../../../agent/enrich/authority/commands.ts';
import { followPodsApi } from '../../../agent/enrich/pods/kubelet-pods-api.ts';
import { slimPod } from '../../../agent/enrich/pods/pod.ts';
import type { PodSourceOptions } from '../../../agent/enrich/pods/pod-source.ts';
import { readPodEvent } from '../../../agent/kube/pod-event.ts';
import { POD_UID } from '../../support/ids.ts';
import { until } from '../../support/until.ts';

/** As Kubernetes' own code wrote them, a pod with one of everything. */
const ADDED = fixture('pod-added');
const DELETED = fixture('pod-deleted');
const PROBED = fixture('pod-probed');
const SYNCED = Buffer.from([8, 4]);

type Call = ServerWritableStream<Buffer, Buffer>;

const SERVICE: ServiceDefinition = {
  WatchPods: {
    path: '/v1alpha1.Pods/WatchPods',
    requestStream: false,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

function fixture(name: string): Buffer {
  const file = join(import.meta.dirname, `${name}.base64`);
  return Buffer.from(readFileSync(file, 'ascii'), 'base64');
}

/** A source that follows a socket, where a server may give the responses that a test sets. */
async function withSocket(
  body: (bed: {
    readonly serve: (answer: (call: Call) => void) => Promise<Server>;
    readonly follow: () => {
      readonly source: ReturnType<typeof followPodsApi>;
      readonly changed: string[];
      readonly problems: string[];
    };
  }) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vcml-pods-api-'));
  const endpoint = `unix://${directory}/pods-api.sock`;
  const closing: (() => void)[] = [];
  try {
    await body({
      async serve(answer) {
        const server = new Server();
        server.addService(SERVICE, { WatchPods: answer });
        await new Promise<void>((resolve, reject) =>
          server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) =>
            error === null ? resolve() : reject(error),
          ),
        );
        closing.push(() => server.forceShutdown());
        return server;
      },
      follow() {
        const changed: string[] = [];
        const problems: string[] = [];
        const options: PodSourceOptions = {
          nodeName: 'node-1',
          kubeconfig: '',
          keys: { label: (key) => key === 'app', annotation: (key) => key === 'owner' },
          onPod: (uid) => changed.push(uid),
          report: (one) => problems.push('error' in one ? one.error.message : 'fine'),
        };
        const source = followPodsApi(options, endpoint);
        closing.push(() => source.close());
        return { source, changed, problems };
      },
    });
  } finally {
    for (const close of closing.reverse()) close();
    rmSync(directory, { recursive: true });
  }
}

test('a pod of the kubelet has everything that records need', async () => {
  await withSocket(async ({ serve, follow }) => {
    await serve((call) => {
      call.write(ADDED);
      call.write(SYNCED);
    });
    const { source, problems } = follow();
    await until('the pod', () => source.candidates(POD_UID)[0] !== undefined);
    deepEqual(source.candidates(POD_UID)[0], {
      uid: POD_UID,
      namespace: 'shop',
      name: 'cart-6d4b75cb6d-x7z2p',
      attributes: {
        'k8s.pod.start_time': '2026-03-01T12:00:01Z',
        'k8s.replicaset.name': 'cart-6d4b75cb6d',
        'k8s.replicaset.uid': '11111111-2d3b-4c5d-9e8f-0a1b2c3d4e5f',
        'k8s.deployment.name': 'cart',
        'k8s.pod.label.app': 'cart',
        'k8s.pod.annotation.owner': 'Zoë',
        'service.name': 'cart',
      },
      containers: [
        waiting('init', 'init', 'shop/init:1'),
        waiting('proxy', 'sidecar', 'shop/proxy:1'),
        {
          ...waiting('main', 'regular', 'registry.example/shop/cart:2'),
          id: 'b'.repeat(64),
          lastId: 'a'.repeat(64),
          imageId: 'shop/cart@sha256:ab',
          restartCount: 2,
        },
        { ...waiting('look', 'ephemeral', 'shop/look:1'), id: 'c'.repeat(64), restartCount: 0 },
      ],
      isOver: false,
      isReduced: false,
    });
    equal(source.state, 'following');
    deepEqual(problems, []);
  });
});

function waiting(name: string, type: string, image: string) {
  const none = { id: undefined, imageId: undefined, restartCount: undefined, lastId: undefined };
  return { name, type, image, ...none };
}

test('changes after the list are followed, and a deleted pod stays known', async () => {
  await withSocket(async ({ serve, follow }) => {
    const calls: Call[] = [];
    await serve((call) => {
      call.write(SYNCED);
      calls.push(call);
    });
    const { source, changed } = follow();
    await until('a list', () => source.state === 'following');
    equal(source.candidates(POD_UID)[0], undefined);
    calls[0]?.write(ADDED);
    await until('the pod', () => changed.includes(POD_UID));
    calls[0]?.write(DELETED);
    calls[0]?.end();
    await until('a new list', () => calls.length > 1 && source.state === 'following');
    equal(source.candidates(POD_UID)[0]?.containers.length, 4);
  });
});

test('a missing or refusing socket is reported once, and so is its end', async () => {
  await withSocket(async ({ serve, follow }) => {
    const { source, problems } = follow();
    await until('a problem', () => problems.length > 0);
    match(problems[0] ?? '', /^unix:.*pods-api\.sock: .*(ENOENT|No connection established)/);
    equal(source.state, 'unreachable');
    let refused = 0;
    const refusing = await serve((call) => {
      refused += 1;
      call.emit('error', { code: status.UNAVAILABLE, details: 'the pods API is disabled' });
    });
    await until('more tries', () => refused > 1);
    refusing.forceShutdown();
    await serve((call) => call.write(SYNCED));
    await until('the end of the problem', () => problems.length > 1);
    deepEqual(problems.slice(1), ['fine']);
    equal(source.state, 'following');
  });
});

test('a pod of the kubelet has the commands of its probes and handlers', () => {
  const { pod } = readPodEvent(PROBED);
  const keys = { label: () => false, annotation: () => false };
  const { containers = [], serviceAccount } =
    slimPod(pod as V1Pod, { keys, nodeName: 'node-1' }) ?? {};
  equal(serviceAccount, 'shopper');
  deepEqual(containers[0]?.commands, {
    liveness: digestOf(['echo', 'a', '']),
    readiness: digestOf(['ready']),
    post_start: digestOf(['hello', '$(A)']),
  });
});

/** A field of a message that is one itself. */
function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return new BinaryWriter()
    .tag(number, WireType.LengthDelimited)
    .bytes(Buffer.concat(parts))
    .finish();
}

function name(value: string): Uint8Array {
  return field(1, Buffer.from(value));
}

function probe(command: string): Uint8Array {
  return field(10, field(1, field(1, name(command))));
}

/** Returns the digests of the liveness probes of containers with these parts. */
function commandsOf(...containers: readonly (readonly Uint8Array[])[]) {
  const metadata = field(
    1,
    name('cart'),
    field(3, Buffer.from('shop')),
    field(5, Buffer.from('u')),
  );
  const spec = field(2, ...containers.map((parts) => field(2, name('a'), ...parts)));
  const { pod } = readPodEvent(field(2, metadata, spec));
  const keys = { label: () => false, annotation: () => false };
  const slim = slimPod(pod as V1Pod, { keys, nodeName: 'node-1' });
  equal(slim?.isReduced, false);
  return slim?.containers.map(({ commands }) => commands?.liveness);
}

test('a pod has room for many variables, and without it no command that may need them', () => {
  const env = (count: number) => Array.from({ length: count }, () => field(7, name('A')));
  const plain = digestOf(['a']);
  deepEqual(commandsOf([...env(7000), probe('$(A)')]), [digestOf([''])]);
  deepEqual(commandsOf([...env(9000), probe('$(A)')]), [undefined]);
  // There is no room for another command either.
  deepEqual(commandsOf([probe('a'), ...env(100)], [...env(9000)], [probe('a')]), [
    plain,
    undefined,
    undefined,
  ]);
});

test('a variable or argument that is too long is unknown, and not empty', () => {
  const variable = (key: string, value: string) =>
    field(7, name(key), field(2, Buffer.from(value)));
  const long = 'x'.repeat(20_000);
  const env = [variable('A', long), variable('B', 'b')];
  deepEqual(commandsOf([...env, probe('$(A)')], [...env, probe('$(B)')], [...env, probe('a')]), [
    undefined,
    undefined,
    digestOf(['a']),
  ]);
  // What is not kept takes no room.
  const longs = Array.from({ length: 50 }, () => variable('A', long));
  deepEqual(commandsOf([probe(long)], longs, [variable('B', 'b'), probe('$(B)')]), [
    undefined,
    undefined,
    digestOf(['b']),
  ]);
});

test('a truncated or damaged message is refused, and unknown fields are skipped', () => {
  throws(() => readPodEvent(ADDED.subarray(0, -1)), RangeError);
  throws(() => readPodEvent(Buffer.from([0x0c])), { message: 'cant skip wire type 4' });
  throws(() => readPodEvent(Buffer.from([0x12, 0x80])), RangeError);
  deepEqual(readPodEvent(Buffer.from([0x20, 7, 8, 1])), { type: 1, pod: undefined });
  deepEqual(readPodEvent(Buffer.alloc(0)), { type: 0, pod: undefined });
});
