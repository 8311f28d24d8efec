import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Enricher } from '../../../agent/enrich/enricher.ts';
import { PodIndex } from '../../../agent/enrich/pods/pod-index.ts';
import { NO_PODS } from '../../../agent/enrich/pods/pod-source.ts';
import type { ContainerState } from '../../../agent/enrich/runtimes/runtime.ts';
import { createDecoder } from '../../../agent/source/decode.ts';
import { causeKind, execEvent } from '../../../agent/source/layout.ts';
import { createLineWriter } from '../../../record/line/encode.ts';
import { uuidOf } from '../../support/ids.ts';
import { craftCgroup, craftExec } from '../../support/kernel-events.ts';
import { bytesInUse } from '../../support/memory.ts';
import { HOST_MNT, NO_MEMORY, procWith } from '../bed.ts';

const PODS = 4000;
/** What is kept of ended containers is bounded, and takes some 4 MiB. */
const BYTES_MAX = 8 << 20;

const proc = procWith('0::/\n');

const states = new Map<string, ContainerState>();
const enricher = new Enricher({
  host: { 'host.name': 'node-1' },
  hostMountNamespace: HOST_MNT,
  proc,
  memory: NO_MEMORY,
  cgroupName: () => undefined,
  readState: (id) => states.get(id),
  reading: () => undefined,
  runtimeOnly: false,
  execRequestVariables: [],
  waitMs: 0,
  started: [],
  startedIsWhole: true,
});
const pods = new PodIndex({ onPod: (uid) => enricher.podChanged(uid), report: () => {} });
await enricher.start({ ...NO_PODS, candidates: (uid) => pods.candidates(uid), state: 'following' });
const ring = Buffer.alloc(1 << 16);
const decoder = createDecoder(ring, 1, (args) => ({ args, redacted: 0 }));
const writer = createLineWriter({
  bootId: randomUUID(),
  hookId: '1',
  self: { pid: 1, ppid: 0, uid: 0, gid: 0, comm: 'node', executable: '/usr/bin/node' },
  offset: () => ({ seconds: 1, nanos: 0 }),
});
const batch = Buffer.alloc(1 << 16);

test('removed containers and pods leave no memory behind', () => {
  comeAndGo(0);
  const before = bytesInUse();
  for (let n = 1; n <= PODS; n++) comeAndGo(n);
  const growth = bytesInUse() - before;
  assert.ok(growth < BYTES_MAX, `${growth} bytes more`);
});

/** A pod of one container, in which a shell runs the same command twice, and another one. */
function comeAndGo(n: number): void {
  const uid = randomUUID();
  const id = randomBytes(32).toString('hex');
  const name = `pod-${n}`;
  const container = { name: 'main', type: 'regular', image: 'shop/cart:2', id } as const;
  const status = { imageId: undefined, restartCount: 0, lastId: undefined };
  const pod = { uid, namespace: 'shop', name, attributes: { 'service.name': name } };
  const containers = [{ ...container, ...status }];
  const owners = { controller: `Game/${name}`, serviceAccount: 'default' };
  const last = { ...pod, ...owners, containers, isOver: false, isReduced: false };
  const names = { podNamespace: 'shop', podName: name, podUid: uid, name: 'main', variables: [] };
  states.set(id, { runtime: 'containerd', sandbox: false, image: 'shop/cart:2', ...names });
  pods.set(last);
  const cgroup = BigInt(n + 100);
  take(craftCgroup({ id: cgroup, hierarchy: 0, path: `/kubepods/burstable/pod${uid}/${id}` }));
  for (const command of ['hello', `true ${n}`, `true ${n}`, `exit ${n}`])
    assert.match(take(execOf(n, cgroup, command)), new RegExp(`"${name}".*"complete"`));
  take(craftCgroup({ id: cgroup, hierarchy: 0 }));
  pods.delete(last);
  states.delete(id);
}

function execOf(n: number, cgroup: bigint, command: string): Buffer {
  const u32 = [[execEvent.contextMntNs, n + 1]] as const;
  const u64 = [
    [execEvent.contextCgroupV2, cgroup],
    [execEvent.executableInode, cgroup],
  ] as const;
  const args = `sh\0-c\0${command}\0`;
  const cause = { kind: causeKind.causeUntracked };
  return craftExec({ cause, u32, u64, object: '/bin/sh', path: '/bin/sh', cwd: '/', args });
}

/** What an event is to the agent; the line of an exec. */
function take(bytes: Buffer): string {
  bytes.copy(ring);
  const event = decoder.decode(0, bytes.length);
  if (event.kind !== 'exec') {
    assert.ok(event.kind === 'cgroup_mkdir' || event.kind === 'cgroup_rmdir');
    enricher.note(event);
    return '';
  }
  const gap = { reason: 'untracked' } as const;
  const record = {
    action: 'exec',
    id: uuidOf(randomUUID()),
    event,
    parentCause: null,
    gap,
  } as const;
  return batch.toString('utf8', 0, writer.write(record, enricher.place(event), batch, 0));
}
