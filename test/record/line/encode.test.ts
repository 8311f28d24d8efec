import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineWriter } from '../../../record/line/encode.ts';
import { json, jsonStrings } from '../../../record/line/json-text.ts';
import type {
  CausalRecord,
  ExecEvent,
  ExecRecord,
  Gap,
  Invocation,
  Loss,
  Place,
} from '../../../record/types.ts';
import { BOOT_ID, uuidOf } from '../../support/ids.ts';

const ID = '6f1c2b3a-0000-5000-8000-000000000001';
const PARENT = '0b770000-0000-5000-8000-000000000002';
const OFFSET = { seconds: 1_763_918_765, nanos: 555_555_666 };
const SELF = { pid: 7, ppid: 1, uid: 0, gid: 0, comm: 'node', executable: '/opt/a"b/node' };

const INVOCATION: Invocation = {
  comm: 'ls',
  context: {
    uid: 1000,
    gid: 1001,
    euid: 1002,
    egid: 1003,
    suid: 1004,
    loginUid: 1005,
    sessionId: 99,
    tty: 'pts/0',
    capabilities: '000001ffffffffff',
    otherCapabilities: undefined,
    namespaces: { pid: 4026531836, mnt: 1, net: 2, user: 3, cgroup: 4 },
    cgroup: { v2: 1n, memory: 1n, pids: 1n, memoryHierarchy: 0, pidsHierarchy: 0 },
  },
  object: '/usr/bin/ls',
  objectTruncated: false,
  objectResolved: false,
  workingDirectory: '/root',
  workingDirectoryTruncated: false,
  executable: {
    path: '/usr/bin/ls',
    pathTruncated: false,
    inode: '9223372036854775809',
    device: '8:1',
    mode: '0755',
    memfd: false,
    upperLayer: false,
    setuid: false,
    unlinked: false,
  },
  args: ['ls', '-l'],
  argsCount: 2,
  argsSize: 6,
  argsRedacted: 0,
  argsTruncated: false,
  interactive: false,
  noNewPrivs: false,
  seccompFilter: false,
  gainedSetuid: false,
  gainedSetgid: false,
  recurring: false,
};

const EVENT: ExecEvent = {
  kind: 'exec',
  cpu: 1,
  seq: 918,
  pid: 4242,
  ppid: 4200,
  vpid: 17,
  bootTime: { seconds: 81_234, nanos: 567_901_123 },
  cause: { kind: 'untracked' },
  startTime: { seconds: 81_234, nanos: 1 },
  invocation: INVOCATION,
};

const writer = createLineWriter({
  bootId: BOOT_ID,
  hookId: '81000000000000',
  self: SELF,
  offset: () => OFFSET,
});

const PLACE: Place = { resource: '{"host.name":"n"}', cgroup: '0::/a', attributes: '' };

function lineOf(record: CausalRecord, place = PLACE): string {
  const bytes = Buffer.alloc(1 << 20);
  return bytes.toString('utf8', 3, writer.write(record, place, bytes, 3));
}

function execLine(
  invocation: Partial<Invocation> = {},
  gap?: Gap,
  more: Partial<ExecEvent> = {},
): string {
  const record: ExecRecord = {
    action: 'exec',
    id: uuidOf(ID),
    parentCause: gap === undefined ? uuidOf(PARENT) : null,
    gap,
    event: { ...EVENT, ...more, invocation: { ...INVOCATION, ...invocation } },
  };
  return lineOf(record);
}

const attributesOf = (line: string) => JSON.parse(line).attributes;

test('an exec with every attribute is one line in the documented format', () => {
  const line = execLine();
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.match(line, /^\{"id":"[^"]*","timestamp":1764000000123456789,/);
  const { timestamp, ...record } = JSON.parse(line);
  assert.equal(typeof timestamp, 'number');
  assert.deepEqual(record, {
    id: ID,
    actor: { pid: 4242, ppid: 4200, uid: 1000, gid: 1001, comm: 'ls' },
    action: 'exec',
    object: '/usr/bin/ls',
    permitted_by: 'parent_process_context',
    parent_cause: PARENT,
    resource: { 'host.name': 'n' },
    attributes: {
      'vcml.boot.id': BOOT_ID,
      'vcml.boot_time': '81234567901123',
      'vcml.hook.id': '81000000000000',
      'vcml.cpu': 1,
      'vcml.seq': 918,
      'process.vpid': 17,
      'process.creation.time': '2025-11-24T15:59:59.555555667Z',
      'process.executable.path': '/usr/bin/ls',
      'process.executable.name': 'ls',
      'vcml.executable.inode': '9223372036854775809',
      'vcml.executable.device': '8:1',
      'vcml.executable.mode': '0755',
      'process.args_count': 2,
      'process.command': 'ls',
      'process.command_args': ['ls', '-l'],
      'process.working_directory': '/root',
      'process.user.id': 1002,
      'process.saved_user.id': 1004,
      'vcml.process.effective_group.id': 1003,
      'vcml.process.login_uid': 1005,
      'vcml.process.session_id': 99,
      'vcml.process.tty': 'pts/0',
      'vcml.process.capabilities.effective': '000001ffffffffff',
      'vcml.namespace.pid': '4026531836',
      'vcml.namespace.mnt': '1',
      'vcml.namespace.net': '2',
      'vcml.namespace.user': '3',
      'vcml.namespace.cgroup': '4',
      'process.linux.cgroup': '0::/a',
    },
  });
});

test('what an exec says of its environment is before what recurs', () => {
  const variables = [
    { name: 'A', value: '"\\xff' },
    { name: 'b', value: '\u2028' },
  ];
  const trace = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), flags: 0 };
  const line = execLine({}, undefined, {
    recordedEnvironment: { variables, isTruncated: true, trace },
  });
  const said =
    `,"vcml.trace.trace_id":"${trace.traceId}","vcml.trace.span_id":"${trace.spanId}"` +
    ',"vcml.trace.flags":0,"vcml.process.environment_truncated":true' +
    `,"process.environment_variable.A":${json('"\\xff')},"process.environment_variable.b":"\\u2028"`;
  assert.equal(line, execLine().replace(',"process.executable.path"', `${said}$&`));
});

test('the core fields come first, in the order of the format', () => {
  assert.deepEqual(Object.keys(JSON.parse(execLine())), [
    'id',
    'timestamp',
    'actor',
    'action',
    'object',
    'permitted_by',
    'parent_cause',
    'resource',
    'attributes',
  ]);
});

const executable = (change: Partial<Invocation['executable']>) => ({
  executable: { ...INVOCATION.executable, ...change },
});

const FLAGS: readonly [key: string, invocation: Partial<Invocation>][] = [
  ['process.interactive', { interactive: true }],
  ['vcml.process.no_new_privs', { noNewPrivs: true }],
  ['vcml.process.working_directory_truncated', { workingDirectoryTruncated: true }],
  ['vcml.process.args_truncated', { argsTruncated: true }],
  ['vcml.object.truncated', { objectTruncated: true }],
  ['vcml.object.resolved', { objectResolved: true }],
  ['vcml.executable.path_truncated', executable({ pathTruncated: true })],
  ['vcml.executable.memfd', executable({ memfd: true })],
  ['vcml.executable.upper_layer', executable({ upperLayer: true })],
  ['vcml.executable.setuid', executable({ setuid: true })],
  ['vcml.executable.unlinked', executable({ unlinked: true })],
];

for (const [key, invocation] of FLAGS)
  test(`${key} is written only when it is true`, () => {
    assert.equal(attributesOf(execLine(invocation))[key], true);
    const without = attributesOf(execLine());
    assert.ok(!(key in without));
    const other = key === 'vcml.process.args_truncated' ? ['vcml.process.args_size'] : [];
    const added = Object.keys(attributesOf(execLine(invocation))).filter(
      (name) => !(name in without),
    );
    assert.deepEqual(added, [key, ...other]);
  });

const PRIVILEGES: readonly [invocation: Partial<Invocation>, attributes: object][] = [
  [{ seccompFilter: true }, { 'vcml.process.seccomp': 'filter' }],
  [{ gainedSetuid: true }, { 'vcml.privilege.gained': ['setuid'] }],
  [{ gainedSetgid: true }, { 'vcml.privilege.gained': ['setgid'] }],
  [{ gainedSetuid: true, gainedSetgid: true }, { 'vcml.privilege.gained': ['setuid', 'setgid'] }],
];

for (const [invocation, attributes] of PRIVILEGES)
  test(`${JSON.stringify(attributes)} is written only when it says something`, () => {
    const added = { ...attributesOf(execLine()), ...attributes };
    assert.deepEqual(attributesOf(execLine(invocation)), added);
  });

test('an absent value has no key', () => {
  const context = { ...INVOCATION.context, loginUid: undefined, tty: undefined };
  const invocation = { ...INVOCATION, context, args: [], argsCount: 0 };
  const record: ExecRecord = {
    action: 'exec',
    id: uuidOf(ID),
    parentCause: uuidOf(PARENT),
    gap: undefined,
    event: { ...EVENT, invocation },
  };
  const place = { resource: '{}', cgroup: undefined, attributes: '' };
  const without = attributesOf(lineOf(record, place));
  const missing = Object.keys(attributesOf(execLine())).filter((key) => !(key in without));
  assert.deepEqual(missing, [
    'process.command',
    'vcml.process.login_uid',
    'vcml.process.tty',
    'process.linux.cgroup',
  ]);
  assert.deepEqual(without['process.command_args'], []);
});

const GAPS: readonly [gap: Gap, attributes: object][] = [
  [{ reason: 'untracked' }, {}],
  [{ reason: 'lost', lostCause: PARENT }, { 'vcml.gap.lost_cause': PARENT }],
  [
    { reason: 'predates_hook', pid: 5, startTime: { seconds: 0, nanos: 1 }, ancestor: undefined },
    {
      'vcml.gap.ancestor.pid': 5,
      'vcml.gap.ancestor.start_time': '2025-11-23T17:26:05.555555667Z',
    },
  ],
  [
    {
      reason: 'predates_hook',
      pid: 5,
      startTime: { seconds: 0, nanos: 1 },
      ancestor: { comm: 'in"it', executablePath: '/sbin/init' },
    },
    {
      'vcml.gap.ancestor.pid': 5,
      'vcml.gap.ancestor.start_time': '2025-11-23T17:26:05.555555667Z',
      'vcml.gap.ancestor.comm': 'in"it',
      'vcml.gap.ancestor.executable.path': '/sbin/init',
    },
  ],
];

for (const [gap, expected] of GAPS)
  test(`a gap is written with its reason: ${JSON.stringify(gap)}`, () => {
    const line = JSON.parse(execLine({}, gap));
    assert.equal(line.parent_cause, null);
    assert.equal(line.permitted_by, 'unobserved_parent');
    const found = Object.entries(line.attributes).filter(([key]) => key.startsWith('vcml.gap.'));
    assert.deepEqual(Object.fromEntries(found), { 'vcml.gap.reason': gap.reason, ...expected });
  });

const HOSTILE = '"}\n\0\u001f\u007f\\x\\\\\u0085\u2028\u2029\ufeffé😀';

test('hostile names stay within their strings, and the line is one line for every reader', () => {
  const line = execLine({
    comm: HOSTILE,
    object: HOSTILE,
    workingDirectory: HOSTILE,
    args: [HOSTILE, HOSTILE],
    ...executable({ path: `/${HOSTILE}` }),
  });
  assert.doesNotMatch(line.slice(0, -1).replaceAll('\u007f', ''), /[\p{Cc}\u2028\u2029]/u);
  const { actor, object, attributes } = JSON.parse(line);
  assert.deepEqual([actor.comm, object], [HOSTILE, HOSTILE]);
  assert.deepEqual(attributes['process.command_args'], [HOSTILE, HOSTILE]);
  assert.equal(attributes['process.executable.name'], HOSTILE);
});

test('every character up to U+FFFF survives JSON, and line ends are escaped', () => {
  for (let code = 0; code <= 0xffff; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCharCode(code);
    const text = json(`a${character}b`);
    assert.equal(JSON.parse(text), `a${character}b`);
    assert.equal(jsonStrings([`a${character}b`]), `[${text}]`);
    const escaped = code < 0x20 || [0x22, 0x5c, 0x85, 0x2028, 0x2029].includes(code);
    assert.equal(text.length > 5, escaped, `U+${code.toString(16)}`);
  }
  assert.equal(json('\u0085\u2028\u2029'), '"\\u0085\\u2028\\u2029"');
  assert.equal(jsonStrings([]), '[]');
});

const LOSSES: readonly [loss: Loss, attributes: object][] = [
  [
    { stage: 'ring_buffer', hookId: '5', cpu: 0, firstSeq: 2, lastSeq: 4, count: 3 },
    {
      'vcml.loss.hook_id': '5',
      'vcml.loss.cpu': 0,
      'vcml.loss.first_seq': 2,
      'vcml.loss.last_seq': 4,
      'vcml.loss.count': 3,
    },
  ],
  [
    { stage: 'reboot', bootId: BOOT_ID, nextSeq: [1, 5] },
    { 'vcml.loss.boot_id': BOOT_ID, 'vcml.loss.next_seq': [1, 5] },
  ],
  [
    { stage: 'kernel', hookId: '5', count: 2 },
    { 'vcml.loss.hook_id': '5', 'vcml.loss.count': 2 },
  ],
];

const COMMON = {
  'vcml.boot.id': BOOT_ID,
  'vcml.boot_time': '90000000000005',
  'vcml.hook.id': '81000000000000',
};
const NOW = { id: ID, bootTime: { seconds: 90_000, nanos: 5 } };

for (const [loss, attributes] of LOSSES)
  test(`a loss of stage ${loss.stage} is a root that the agent declares`, () => {
    const line = lineOf({ ...NOW, action: 'journal.loss', loss });
    assert.match(line, /"timestamp":1764008765555555671,/);
    const { timestamp, ...record } = JSON.parse(line);
    assert.ok(timestamp > 0 && line.endsWith('}\n'));
    const { executable: object, ...actor } = SELF;
    assert.deepEqual(record, {
      id: ID,
      actor,
      action: 'journal.loss',
      object,
      permitted_by: 'root_event:journal.loss',
      parent_cause: null,
      resource: { 'host.name': 'n' },
      attributes: { ...COMMON, 'vcml.loss.stage': loss.stage, ...attributes },
    });
  });

test('the start and the stop of a run have the documented attributes', () => {
  const start = lineOf({
    ...NOW,
    action: 'journal.start',
    version: '1.2.3',
    hookState: 'resumed',
    nextSeq: [4, 1],
  });
  assert.deepEqual(attributesOf(start), {
    ...COMMON,
    'vcml.agent.version': '1.2.3',
    'vcml.format.version': 2,
    'vcml.hook.state': 'resumed',
    'vcml.hook.next_seq': [4, 1],
  });
  const stop = lineOf({
    ...NOW,
    action: 'journal.stop',
    hookState: 'kept',
    records: 9,
    gaps: 2,
    losses: 1,
  });
  assert.deepEqual(attributesOf(stop), {
    ...COMMON,
    'vcml.hook.state': 'kept',
    'vcml.journal.records': 9,
    'vcml.journal.gaps': 2,
    'vcml.journal.losses': 1,
  });
});
