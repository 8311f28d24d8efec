import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import { causeKind, execEvent, execFlags } from '../../agent/source/layout.ts';
import { bufferWith, type CraftedExec, craftExec } from '../support/kernel-events.ts';

const AS_IS = (args: readonly string[]) => ({ args, redacted: 0 });
const CPUS = 4;

function decode(event: Buffer, length = event.length) {
  return createDecoder(bufferWith(event), CPUS, AS_IS).decode(0, length);
}

function execOf(crafted: CraftedExec) {
  const event = decode(craftExec(crafted));
  if (event.kind !== 'exec') throw new Error(`not an exec: ${JSON.stringify(event)}`);
  return event;
}

const FULL: CraftedExec = {
  cpu: 3,
  seq: 2n ** 40n + 5n,
  bootTime: 81_234_567_890_123n,
  startTime: 81_234_000_000_001n,
  pid: 4242,
  ppid: 4200,
  vpid: 17,
  comm: 'ls',
  flags: execFlags.execInteractive | execFlags.execUpperLayer | execFlags.execNoNewPrivs,
  cause: { kind: causeKind.causeRecord, bootTime: 81_000_000_000_007n, pid: 4200, cpu: 2, seq: 9n },
  tty: 'pts0',
  object: './ls',
  path: '/usr/bin/ls',
  cwd: '/usr/bin',
  args: 'ls\0-l\0\0',
  argsCount: 3,
  argsSize: 7,
  u32: [
    [execEvent.executableDeviceMajor, 8],
    [execEvent.executableDeviceMinor, 1],
    [execEvent.executableMode, 0o104755],
    [execEvent.contextUid, 1000],
    [execEvent.contextGid, 1001],
    [execEvent.contextEuid, 0],
    [execEvent.contextEgid, 1002],
    [execEvent.contextSuid, 1003],
    [execEvent.contextLoginUid, 1004],
    [execEvent.contextSessionId, 4100],
    [execEvent.contextPidNs, 4026531836],
    [execEvent.contextMntNs, 4026531841],
    [execEvent.contextNetNs, 4026531840],
    [execEvent.contextUserNs, 4026531837],
    [execEvent.contextCgroupNs, 4026531835],
    [execEvent.contextCgroupMemoryHierarchy, 6],
    [execEvent.contextCgroupPidsHierarchy, 9],
    [execEvent.causeMntNs, 4026531850],
    [execEvent.causeCgroupMemoryHierarchy, 6],
    [execEvent.causeCgroupPidsHierarchy, 9],
  ],
  u64: [
    [execEvent.executableInode, 2n ** 63n + 1n],
    [execEvent.contextCapabilities, 0x1ff_ffff_ffffn],
    [execEvent.contextCgroupV2, 77n],
    [execEvent.contextCgroupMemory, 78n],
    [execEvent.contextCgroupPids, 2n ** 60n + 1n],
    [execEvent.causeCgroupV2, 2n ** 61n + 3n],
    [execEvent.causeCgroupMemory, 88n],
    [execEvent.causeCgroupPids, 89n],
  ],
};

test('every field of an exec event is read from its place', () => {
  assert.deepEqual(execOf(FULL), {
    kind: 'exec',
    cpu: 3,
    seq: 2 ** 40 + 5,
    bootTime: { seconds: 81_234, nanos: 567_890_123 },
    cause: {
      kind: 'record',
      bootTime: { seconds: 81_000, nanos: 7 },
      pid: 4200,
      cpu: 2,
      seq: 9,
      elsewhere: {
        cgroup: {
          v2: 2n ** 61n + 3n,
          memory: 88n,
          pids: 89n,
          memoryHierarchy: 6,
          pidsHierarchy: 9,
        },
        mountNamespace: 4026531850,
      },
    },
    pid: 4242,
    ppid: 4200,
    vpid: 17,
    startTime: { seconds: 81_234, nanos: 1 },
    invocation: {
      comm: 'ls',
      context: {
        uid: 1000,
        gid: 1001,
        euid: 0,
        egid: 1002,
        suid: 1003,
        loginUid: 1004,
        sessionId: 4100,
        tty: 'pts/0',
        capabilities: '000001ffffffffff',
        otherCapabilities: undefined,
        namespaces: {
          pid: 4026531836,
          mnt: 4026531841,
          net: 4026531840,
          user: 4026531837,
          cgroup: 4026531835,
        },
        cgroup: {
          v2: 77n,
          memory: 78n,
          pids: 2n ** 60n + 1n,
          memoryHierarchy: 6,
          pidsHierarchy: 9,
        },
      },
      object: '/usr/bin/ls',
      objectTruncated: false,
      objectResolved: false,
      workingDirectory: '/usr/bin',
      workingDirectoryTruncated: false,
      executable: {
        path: '/usr/bin/ls',
        pathTruncated: false,
        inode: '9223372036854775809',
        device: '8:1',
        mode: '4755',
        memfd: false,
        upperLayer: true,
        setuid: true,
        unlinked: false,
      },
      args: ['ls', '-l', ''],
      argsCount: 3,
      argsSize: 7,
      argsRedacted: 0,
      argsTruncated: false,
      interactive: true,
      noNewPrivs: true,
      seccompFilter: false,
      gainedSetuid: false,
      gainedSetgid: false,
      recurring: false,
    },
  });
});

test('arguments are redacted knowing the executable, whatever the first argument is', () => {
  const event = craftExec({ ...FULL, path: '/usr/bin/mysql', args: 'db\0-pX\0' });
  const seen: (readonly string[] | string)[] = [];
  createDecoder(bufferWith(event), CPUS, (args, executable) => {
    seen.push(args, executable);
    return { args, redacted: 0 };
  }).decode(0, event.length);
  assert.deepEqual(seen, [['db', '-pX'], '/usr/bin/mysql']);
});

test('a cause is elsewhere if its cgroups or its mount namespace differ', () => {
  const cause = { kind: causeKind.causeRecord, seq: 9n };
  const u32 = [
    [execEvent.contextMntNs, 5],
    [execEvent.causeMntNs, 5],
  ] as const;
  const u64 = [
    [execEvent.contextCgroupPids, 2n ** 40n],
    [execEvent.causeCgroupPids, 2n ** 40n],
  ] as const;
  const elsewhere = (more: CraftedExec) => {
    const { cause: read } = execOf({ cause, u32, u64, ...more });
    return read.kind === 'record' && read.elsewhere !== undefined;
  };
  assert.equal(elsewhere({}), false);
  assert.equal(elsewhere({ u32: [...u32, [execEvent.causeMntNs, 6]] }), true);
  assert.equal(elsewhere({ u64: [...u64, [execEvent.causeCgroupPids, 0n]] }), true);
  assert.equal(elsewhere({ u64: [...u64, [execEvent.causeCgroupV2, 2n ** 32n]] }), true);
  assert.equal(elsewhere({ u32: [...u32, [execEvent.causeCgroupPidsHierarchy, 1]] }), true);
});

test('the cause of an exec can be an ancestor or unknown', () => {
  const ancestor = { kind: causeKind.causeAncestor, bootTime: 5_000_000_001n, pid: 77 };
  assert.deepEqual(execOf({ cause: ancestor }).cause, {
    kind: 'ancestor',
    pid: 77,
    startTime: { seconds: 5, nanos: 1 },
  });
  assert.deepEqual(execOf({ cause: { kind: causeKind.causeUntracked } }).cause, {
    kind: 'untracked',
  });
});

test('an ancestor is elsewhere if it forked elsewhere, unless its place was not read', () => {
  const cause = { kind: causeKind.causeAncestor, pid: 77 };
  const elsewhere = (causeMntNs: number) => {
    const u32 = [
      [execEvent.contextMntNs, 5],
      [execEvent.causeMntNs, causeMntNs],
    ] as const;
    const { cause: read } = execOf({ cause, u32, u64: [[execEvent.causeCgroupV2, 9n]] });
    return read.kind === 'ancestor' ? read.elsewhere : undefined;
  };
  assert.equal(elsewhere(6)?.mountNamespace, 6);
  assert.equal(elsewhere(5)?.cgroup.v2, 9n);
  assert.equal(elsewhere(0), undefined, 'an entry that a kernel side of 0.1.0 made');
});

const ARGS: readonly [bytes: string, args: string[]][] = [
  ['', []],
  ['\0', ['']],
  ['a\0', ['a']],
  ['a\0\0\0', ['a', '', '']],
  ['a\0b c\0', ['a', 'b c']],
  ['a\0cut', ['a', 'cut']],
];

for (const [bytes, args] of ARGS)
  test(`arguments: ${JSON.stringify(bytes)}`, () => {
    assert.deepEqual(execOf({ args: bytes }).invocation.args, args);
  });

test('an argument that is cut inside a character keeps its bytes', () => {
  const args = Buffer.from('a\0é').subarray(0, -1);
  assert.deepEqual(execOf({ args }).invocation.args, ['a', '\\xc3']);
});

test('comm has at most 15 bytes, of any value', () => {
  assert.equal(execOf({ comm: '' }).invocation.comm, '');
  assert.equal(execOf({ comm: '123456789012345' }).invocation.comm, '123456789012345');
  assert.equal(execOf({ comm: '1234567890123456' }).invocation.comm, '123456789012345');
  assert.equal(execOf({ comm: 'a\xff\\' }).invocation.comm, 'a\\xff\\\\');
});

test('a process without login uid and terminal has neither; terminals keep their names', () => {
  const none = execOf({ u32: [[execEvent.contextLoginUid, 0xffffffff]] }).invocation.context;
  assert.equal(none.loginUid, undefined);
  assert.equal(none.tty, undefined);
  assert.equal(execOf({ tty: 'pts12' }).invocation.context.tty, 'pts/12');
  assert.equal(execOf({ tty: 'ttyS0' }).invocation.context.tty, 'ttyS0');
});

const TRUNCATED = execFlags.execObjectTruncated | execFlags.execPathTruncated;

test('paths that were cut, unlinked or unreachable are marked', () => {
  const { invocation } = execOf({
    flags: TRUNCATED | execFlags.execCwdTruncated | execFlags.execArgsTruncated,
    object: '/x',
  });
  assert.deepEqual(
    [
      invocation.objectTruncated,
      invocation.executable.pathTruncated,
      invocation.workingDirectoryTruncated,
    ],
    [true, true, true],
  );
  assert.equal(invocation.argsTruncated, true);
  const outside = execOf({
    flags: execFlags.execPathUnreachable | execFlags.execCwdUnreachable | execFlags.execUnlinked,
    path: '/p',
    cwd: '/c',
    object: 'o',
  }).invocation;
  assert.equal(outside.executable.path, '(unreachable)/p');
  assert.equal(outside.workingDirectory, '(unreachable)/c');
  assert.equal(outside.object, '(unreachable)/c/o');
  assert.equal(outside.executable.unlinked, true);
});

test('an object relative to a truncated working directory is truncated, too', () => {
  const flags = execFlags.execCwdTruncated;
  assert.equal(execOf({ flags, object: 'x', cwd: '/c' }).invocation.objectTruncated, true);
  assert.equal(execOf({ flags, object: '/x', cwd: '/c' }).invocation.objectTruncated, false);
});

test('/dev/fd/N is the path of the descriptor, or of the executable if it is closed', () => {
  const object = '/dev/fd/3';
  const open = { object, flags: execFlags.execFdPath, descriptor: '/srv/app', path: '/lib/ld.so' };
  assert.equal(execOf(open).invocation.object, '/srv/app');
  assert.equal(execOf(open).invocation.objectResolved, false);
  const closed = execOf({ object, flags: execFlags.execFdClosed, path: '/srv/app' }).invocation;
  assert.equal(closed.object, '/srv/app');
  assert.equal(closed.objectResolved, true);
  const cut = { ...open, flags: execFlags.execFdPath | execFlags.execFdTruncated };
  assert.equal(execOf(cut).invocation.objectTruncated, true);
});

test('a filter, and what the bits of the file gave, are read from the flags', () => {
  const read = (flags: number) => {
    const { seccompFilter, gainedSetuid, gainedSetgid } = execOf({ flags }).invocation;
    return [seccompFilter, gainedSetuid, gainedSetgid];
  };
  assert.deepEqual(read(0), [false, false, false]);
  assert.deepEqual(read(execFlags.execSeccompFilter), [true, false, false]);
  assert.deepEqual(read(execFlags.execGainedSetuid), [false, true, false]);
  assert.deepEqual(read(execFlags.execGainedSetgid), [false, false, true]);
});

test('an unknown flag of a later kernel side changes nothing', () => {
  assert.deepEqual(execOf({ ...FULL, flags: (FULL.flags ?? 0) | (1 << 30) }), execOf(FULL));
});

test('one decoder reads events of equal and different invocations at any offset', () => {
  const events = Array.from({ length: 60 }, (_, n) =>
    craftExec({ ...FULL, pid: 100 + n, args: `ls\0${'x'.repeat(n % 5)}\0` }),
  );
  const sizes = events.map((event) => Math.ceil(event.length / 8) * 8);
  const buffer = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0));
  const decoder = createDecoder(buffer, CPUS, AS_IS);
  let at = 0;
  for (const [n, event] of events.entries()) {
    event.copy(buffer, at);
    const read = decoder.decode(at, event.length);
    assert.equal(read.kind === 'exec' && read.pid, 100 + n);
    assert.deepEqual(read.kind === 'exec' && read.invocation.args, ['ls', 'x'.repeat(n % 5)]);
    at += sizes[n] ?? 0;
  }
});

const SOUND = craftExec(FULL);

function changed(change: (event: Buffer) => void): Buffer {
  const event = Buffer.from(SOUND);
  change(event);
  return event;
}

const UNREADABLE: readonly [what: string, event: Buffer, length?: number][] = [
  ['empty', Buffer.alloc(0)],
  ['only a head', SOUND.subarray(0, 32)],
  ['shorter than it says', SOUND, SOUND.length - 8],
  ['longer than it says', SOUND, SOUND.length + 8],
  ['longer than the buffer', SOUND, 1 << 30],
  ['of another version', changed((event) => event.writeUInt16LE(2, execEvent.headVersion))],
  ['of another kind', changed((event) => event.writeUInt16LE(9, execEvent.headKind))],
  [
    'on a CPU that does not exist',
    changed((event) => event.writeUInt32LE(CPUS, execEvent.headCpu)),
  ],
  ['without a number', changed((event) => event.fill(0, execEvent.headSeq, execEvent.headSeq + 8))],
  ['with a number from 2^53 on', changed((event) => event.writeUInt8(0x20, execEvent.headSeq + 6))],
  [
    'of a cause with such a number',
    changed((event) => event.writeUInt8(0x20, execEvent.causeSeq + 6)),
  ],
  [
    'of a time in 292 years',
    changed((event) => event.writeUInt8(0x80, execEvent.headBootTime + 7)),
  ],
  ['of an unknown cause', changed((event) => event.writeUInt32LE(0, execEvent.causeKind))],
  [
    'of a cause on a CPU that does not exist',
    changed((event) => event.writeUInt32LE(CPUS, execEvent.causeCpu)),
  ],
  ['with data in its head', changed((event) => event.writeUInt16LE(8, execEvent.args))],
  ['with data behind its end', changed((event) => event.writeUInt16LE(900, execEvent.args + 2))],
];

for (const [what, event, length] of UNREADABLE)
  test(`an event that is ${what} is unreadable`, () => {
    assert.equal(decode(event, length).kind, 'unreadable');
  });

test('an unreadable exec has its CPU and number if its head is sound', () => {
  const event = changed((bytes) => bytes.writeUInt16LE(900, execEvent.args + 2));
  assert.deepEqual(decode(event), {
    kind: 'unreadable',
    why: 'data outside the event',
    stage: 'decode',
    cpu: 3,
    seq: 2 ** 40 + 5,
  });
});

test('an exec of another version is of another kernel side, and has its CPU and number', () => {
  const event = changed((bytes) => bytes.writeUInt16LE(2, execEvent.headVersion));
  assert.deepEqual(decode(event), {
    kind: 'unreadable',
    why: 'unknown version',
    stage: 'upgrade',
    cpu: 3,
    seq: 2 ** 40 + 5,
  });
});
