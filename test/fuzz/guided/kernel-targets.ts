import assert from 'node:assert/strict';
import { containerOf } from '../../../agent/enrich/cgroups/container-path.ts';
import { Lineage } from '../../../agent/lineage/lineage.ts';
import { Losses } from '../../../agent/lineage/losses.ts';
import { createDecoder } from '../../../agent/source/decode.ts';
import { causeKind, execEvent } from '../../../agent/source/layout.ts';
import { createLineWriter } from '../../../record/line/encode.ts';
import type { CausalRecord, KernelEvent } from '../../../record/types.ts';
import { createRedactor } from '../../../redact/redactor.ts';
import { isWellEscaped } from '../../check/escapes.ts';
import { newRequests, requestOf } from '../../export/encode.ts';
import { BOOT_ID } from '../../support/ids.ts';
import { craftCgroup, craftExec } from '../../support/kernel-events.ts';
import type { Target } from './target.ts';

const CPUS = 2;
const NOW = { seconds: 1_763_918_765, nanos: 555_555_666 };
const ROOM = 64 * 1024;
const redact = createRedactor();
const VARIABLES = ['REQUEST', 'LOGIN'];

const event: Target = {
  name: 'event',
  property:
    'any bytes are one event, whatever follows them and whatever was read before; ' +
    'its records are lines of JSON that the export accepts',
  seeds: [
    craftExec({
      seq: 7n,
      bootTime: 81_234_567_901_123n,
      startTime: 81_234_000_000_001n,
      pid: 42,
      cause: { kind: causeKind.causeRecord, seq: 6n, cpu: 1, pid: 41, bootTime: 5n },
      comm: 'sh',
      tty: 'pts0',
      object: 'bin/../sh',
      path: '/bin/b\xff',
      cwd: '/root',
      args: 'sh\0-c\0mysql -psecret\0',
      argsCount: 3,
      argsSize: 21,
    }),
    craftExec({
      seq: 9n,
      cpu: 1,
      object: '/dev/fd/3/x',
      path: '/memfd:x',
      flags: 0xffffffff,
      cause: { kind: causeKind.causeAncestor, pid: 1, bootTime: 77n },
      descriptor: '/tmp/a b',
      args: 'curl\0https://u:p@h\0Authorization: Bearer x\0',
    }),
    craftExec({
      args: 'sh\0',
      environment: { first: 'REQUEST=a\0B=\xff\0CUT', last: 'ID=b\0REQUEST=c\0', size: 5000 },
    }),
    craftExec({ environment: { first: 'REQUEST=\\\0LOGIN=1\0' } }),
    craftExec({ args: 'a\0', capabilities: { ambient: 1n, bounding: 0n } }),
    craftExec({ object: '/bin/ls' }),
    craftCgroup({ id: 12n, hierarchy: 0, path: '/kubepods/x' }),
    craftCgroup({ id: 12n, hierarchy: 0 }),
  ],
  check(input) {
    // Of another size than it says, it would go no further.
    if (input.length >= 4) input.writeUInt32LE(input.length, execEvent.headSize);
    const found = read(input, 0);
    assert.deepEqual(read(input, 0xa5), found);
    assert.deepEqual(reread(input), found);
    if (found.kind === 'cgroup_mkdir') assert.ok(isWellEscaped(found.path), found.path);
    if (found.kind === 'exec') checkLines(found);
  },
};

function read(input: Buffer, behind: number): KernelEvent {
  const buffer = Buffer.alloc(input.length + ROOM, behind);
  input.copy(buffer);
  const found = createDecoder(buffer, CPUS, redact, VARIABLES).decode(0, input.length);
  assert.ok(buffer.subarray(0, input.length).equals(input));
  return found;
}

const kept = Buffer.alloc(2 * ROOM);
const keptDecoder = createDecoder(kept, CPUS, redact, VARIABLES);

/** Read by a decoder that has seen many events, among them this one. */
function reread(input: Buffer): KernelEvent {
  input.copy(kept);
  keptDecoder.decode(0, input.length);
  keptDecoder.decode(0, input.length);
  const found = keptDecoder.decode(0, input.length);
  if (found.kind !== 'exec') return found;
  return { ...found, invocation: { ...found.invocation, recurring: false } };
}

const writer = createLineWriter({
  bootId: BOOT_ID,
  hookId: '81000000000000',
  offset: () => NOW,
  self: { pid: 7, ppid: 1, uid: 0, gid: 0, comm: 'node', executable: '/opt/node' },
});
const requests = newRequests();
const page = Buffer.alloc(1 << 20);

function checkLines(exec: Extract<KernelEvent, { kind: 'exec' }>): void {
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: '1',
    losses: new Losses(),
    nextSeq: new Float64Array(CPUS).fill(1),
    quietRange: () => ({ first: 0, last: 0 }),
    ancestor: () => ({ comm: 'a"b' }),
  });
  for (const { name, value } of exec.environment?.variables ?? []) {
    assert.ok(VARIABLES.includes(name), name);
    assert.ok(isWellEscaped(value) && !value.includes('\0'), value);
  }
  const records: CausalRecord[] = [];
  lineage.exec(exec, NOW, records);
  assert.ok(records.some(({ action }) => action === 'exec'));
  for (const record of records) {
    const place = { resource: '{"host.name":"n"}', cgroup: '/a', attributes: '' };
    const line = page.toString('utf8', 0, writer.write(record, place, page, 0));
    assert.equal(line.indexOf('\n'), line.length - 1);
    const { actor, object } = JSON.parse(line);
    for (const text of [actor.comm, object]) assert.ok(isWellEscaped(text), text);
    assert.ok(requestOf(requests, [line.slice(0, -1)]).length > 0);
  }
}

const ID = 'f'.repeat(64);
const UID = '0b77aabb-1122-4333-8444-555566667777';
const FLAT_UID = UID.replaceAll('-', '_');

const cgroup: Target = {
  name: 'cgroup',
  property: 'a container in any path has 64 hex digits and a root on the path',
  seeds: [
    `/kubepods/burstable/pod${UID}/${ID}`,
    `/kubepods.slice/kubepods-besteffort-pod${FLAT_UID}.slice/cri-containerd-${ID}.scope/init`,
    `/kubelet.slice/kubelet-kubepods-pod${FLAT_UID}.slice:cri-containerd:${ID}`,
    `/docker/${ID}/kubepods.slice/kubepods-pod${'0'.repeat(32)}.slice/crio-conmon-${ID}.scope`,
    `/user.slice/user-0.slice/libpod-${ID}.scope`,
    `/k8s.io/${ID}`,
  ],
  check(input) {
    const path = input.toString();
    const found = containerOf(path);
    if (found === undefined) return;
    assert.match(found.id, /^[0-9a-f]{64}$/);
    assert.ok(path === found.root || path.startsWith(`${found.root}/`), path);
    assert.ok(found.root.includes(found.id));
    if (found.podUid !== undefined) assert.match(found.podUid, /^[0-9a-f-]{32,36}$/);
    // What a pod's container nests inside itself stays its own.
    const nested = containerOf(`${found.root}/kubepods/pod${UID}/${'0'.repeat(64)}`);
    if (found.podUid !== undefined) assert.deepEqual(nested, found);
  },
};

/** What comes from the kernel. */
export const KERNEL_TARGETS: readonly Target[] = [event, cgroup];
