import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  commandInWords,
  containerPlace,
  counted,
  flagsInWords,
  gapInFull,
  gapInWords,
  hookInWords,
  lossInWords,
  placeNames,
  runInWords,
} from '../../record/describe.ts';

type Attributes = Readonly<Record<string, unknown>>;

const reader = (attributes: Attributes) => (key: string) => attributes[key];

const COMMANDS: readonly (readonly [object: string, args: unknown, command: string])[] = [
  ['/usr/bin/ls', ['ls', '-l', 'a b'], "ls -l 'a b'"],
  ['/tmp/evil', ['sshd', '-D'], '/tmp/evil as sshd -D'],
  ['/dev/shm/sshd', ['sshd', '-D'], '/dev/shm/sshd -D'],
  ['/dev/shm/sshd', ['/usr/sbin/sshd', '-D'], '/dev/shm/sshd -D'],
  ['/usr/sbin/sshd', ['sshd', '-D', '/tmp/x'], 'sshd -D /tmp/x'],
  ['/usr/bin/ls', ['/tmp/ls'], '/usr/bin/ls'],
  ['/usr/bin/../../tmp/ls', ['ls'], '/usr/bin/../../tmp/ls'],
  ['/tmp/evil', ['sshd', 'evil'], '/tmp/evil as sshd evil'],
  ['/tmp/evil', ['sshd', '-D', '/tmp/evil'], '/tmp/evil as sshd -D /tmp/evil'],
  ['/bin/bash', ['-bash'], '-bash'],
  ['/opt/run me', [], "'/opt/run me'"],
  ['/bin/x', undefined, '/bin/x'],
  ['/bin/x', 'no list', '/bin/x'],
  ['/bin/x', ['x', { toString: 1 }], 'x \'{"toString":1}\''],
  ['/bin/x', ['x', '\u202e'], "x '\\u{202e}'"],
  ['/bin/x', ['x', 'y'.repeat(28)], `x ${'y'.repeat(28)}`],
  ['/bin/x', ['x', 'y'.repeat(29)], `x ${'y'.repeat(28)} …`],
  ['/bin/x', ['x', ...new Array(40).fill('')], `x${" ''".repeat(9)} ' …`],
  ['/bin/last', [...new Array(40).fill('a'), '/bin/last'], `/bin/last as ${'a '.repeat(8)}a …`],
];

for (const [object, args, command] of COMMANDS)
  test(`a command is shown as: ${command}`, () => {
    const attribute = reader({ 'process.command_args': args });
    equal(commandInWords(object, attribute, 30), command);
  });

for (const [name, interpreter, command] of [
  ['/bin/sh', '/usr/bin/dash', '/bin/sh /app/run.sh 1'],
  ['/usr/bin/python3', '/usr/bin/python3.13', '/usr/bin/python3 /app/run.sh 1'],
  ['/app/bin/run', '/app/bin/run', '/app/bin/run /app/run.sh 1'],
  // A link to another program, with arguments as for a script.
  ['/bin/sh', '/tmp/x', '/app/run.sh as /bin/sh /app/run.sh 1'],
  ['/usr/sbin/sshd', '/usr/bin/dash', '/app/run.sh as /usr/sbin/sshd /app/run.sh 1'],
  [`/${'x'.repeat(30)}`, `/${'x'.repeat(30)}`, `/app/run.sh as /${'x'.repeat(14)} …`],
] as const)
  test(`a script of ${interpreter} by ${name} is shown as: ${command}`, () => {
    const attribute = reader({
      'process.command_args': [name, '/app/run.sh', '1'],
      'process.executable.path': interpreter,
    });
    equal(commandInWords('/app/run.sh', attribute, name.length > 30 ? 30 : 99), command);
  });

test('what was executed is marked if it was cut, and has no other name', () => {
  const cut = { 'vcml.object.truncated': true };
  equal(commandInWords('/tmp/systemd-', reader(cut), 30), '/tmp/systemd-…');
  const named = reader({ ...cut, 'process.command_args': ['sshd'] });
  equal(commandInWords('/usr/bin/sshd', named, 30), '/usr/bin/sshd… as sshd');
});

test('a command whose arguments were truncated is marked once', () => {
  const cut = { 'vcml.process.args_truncated': true };
  equal(commandInWords('/bin/x', reader(cut), 30), '/bin/x …');
  const long = reader({ ...cut, 'process.command_args': ['x', 'y'.repeat(40)] });
  equal(commandInWords('/bin/x', long, 30), `x ${'y'.repeat(28)} …`);
});

test('flags say how an exec entered its container, and what kind of file it runs', () => {
  deepEqual(flagsInWords(reader({})), []);
  const attributes = {
    'vcml.executable.upper_layer': true,
    'vcml.executable.setuid': 'true',
    'vcml.entry': 'exec',
  };
  deepEqual(flagsInWords(reader(attributes)), ['container entry: exec', 'upper layer']);
});

const ANCESTOR = 'vcml.gap.ancestor';
const GAPS: readonly (readonly [attributes: Attributes, short: string, full?: string])[] = [
  [{ 'vcml.gap.reason': 'untracked' }, 'untracked'],
  [{}, 'no reason given'],
  [
    { 'vcml.gap.reason': 'lost', 'vcml.gap.lost_cause': 'a8ec2758' },
    'lost',
    'lost: the record a8ec2758 was lost',
  ],
  [
    {
      'vcml.gap.reason': 'predates_hook',
      [`${ANCESTOR}.pid`]: 1,
      [`${ANCESTOR}.comm`]: 'systemd',
      [`${ANCESTOR}.executable.path`]: '/lib/systemd',
      [`${ANCESTOR}.start_time`]: '2026-11-23T07:00:07Z',
    },
    'predates_hook: systemd[1]',
    'predates_hook: systemd[1] (/lib/systemd), began 2026-11-23T07:00:07Z, before the hook',
  ],
  [
    {
      'vcml.gap.reason': 'predates_hook',
      [`${ANCESTOR}.pid`]: 7,
      [`${ANCESTOR}.executable.path`]: '/bin/sh',
    },
    'predates_hook: sh[7]',
    'predates_hook: sh[7] (/bin/sh)',
  ],
  [{ 'vcml.gap.reason': 'predates_hook', [`${ANCESTOR}.pid`]: 7 }, 'predates_hook: ?[7]'],
];

for (const [attributes, short, full = short] of GAPS)
  test(`a gap is shown as: ${full}`, () => {
    equal(gapInWords(reader(attributes)), short);
    equal(gapInFull(reader(attributes)), full);
  });

test('a loss is shown with what is known about it', () => {
  const known = {
    'vcml.loss.stage': 'ring_buffer',
    'vcml.loss.cpu': 0,
    'vcml.loss.count': 298,
    'vcml.loss.first_seq': 10,
    'vcml.loss.last_seq': 307,
  };
  deepEqual(lossInWords(reader(known)), {
    records: '298 records',
    stage: 'ring_buffer',
    cpu: '0',
    numbers: '10 to 307',
  });
  deepEqual(lossInWords(reader({})), {
    records: 'an unknown number of records',
    stage: 'no stage given',
    cpu: undefined,
    numbers: undefined,
  });
});

test('a run is shown with the state of the hook, the agent and its counts', () => {
  const state = { 'vcml.hook.state': 'attached' };
  equal(hookInWords(reader(state)), 'hook attached');
  equal(hookInWords(reader({})), 'hook in an unknown state');
  const start = reader({ ...state, 'vcml.agent.version': '1.2.3' });
  equal(runInWords(start), 'hook attached, vcml-agent 1.2.3');
  const counts = { 'vcml.journal.records': 15, 'vcml.journal.gaps': 1, 'vcml.journal.losses': 0 };
  equal(runInWords(reader({ ...state, ...counts })), 'hook attached; 15 records, 1 gap, 0 losses');
});

test('a count of 1 takes the singular, and a value that is not a number is unknown', () => {
  equal(counted(1, 'loss'), '1 loss');
  equal(counted(2n, 'loss'), '2 losses');
  equal(counted('\u001b', 'record'), 'an unknown number of records');
});

test('a place has the names that its resource gives', () => {
  const pod = {
    'k8s.node.name': 'node-1',
    'host.name': 'host-1',
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'cart\u202e',
    'k8s.container.name': 'app',
    'container.id': 'f00',
  };
  const names = placeNames(pod);
  deepEqual(names, {
    node: 'node-1',
    namespace: 'shop',
    pod: 'cart\\u{202e}',
    container: 'app',
  });
  equal(containerPlace(names), 'shop/cart\\u{202e}/app');
  const docker = placeNames({ 'container.name': 'db', 'container.id': 'f00', 'host.name': 'h' });
  deepEqual([docker.node, containerPlace(docker)], ['h', 'db']);
  equal(containerPlace(placeNames({ 'container.id': 'f00' })), 'f00');
  equal(containerPlace(placeNames({})), '');
});
