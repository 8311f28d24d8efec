import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createTextWriter } from '../../agent/print/text.ts';
import { viewOf } from '../../agent/print/view.ts';

const AT = new Date(2026, 0, 31, 14, 3, 7, 123).getTime();
const NAMES: Record<number, string> = { 0: 'root', 7: 'e\u001b[2Jvil' };

type Fields = Record<string, unknown>;

function lineOf(changes: Fields = {}, attributes: Fields = {}, actor: Fields = {}): string {
  return JSON.stringify({
    id: 'a',
    timestamp: AT * 1e6,
    actor: { pid: 42, ppid: 1, uid: 0, gid: 0, comm: 'ls', ...actor },
    action: 'exec',
    object: '/usr/bin/ls',
    parent_cause: null,
    resource: {},
    attributes: { 'vcml.gap.reason': 'untracked', ...attributes },
    ...changes,
  });
}

function writer(colours = false) {
  const write = createTextWriter({
    colours,
    userName: (uid) => NAMES[uid] ?? String(uid),
    now: () => AT,
  });
  return (line: string): string => {
    const view = viewOf(line);
    ok(view);
    return write(view);
  };
}

test('an exec shows time, user, pid, command with arguments, and its parent with its pid', () => {
  const print = writer();
  print(lineOf({ id: 'p' }, {}, { comm: 'bash', pid: 4200 }));
  equal(
    print(lineOf({ parent_cause: 'p' }, { 'process.command_args': ['ls', '-l', 'a b'] })),
    "14:03:07.123  root          42  ls -l 'a b'  ← bash[4200]\n",
  );
});

test('a parent that was not printed is named by the beginning of its id', () => {
  match(writer()(lineOf({ parent_cause: '0b77aabb-1122' })), / {2}← 0b77aabb…\n$/);
});

test('the executable is shown if the arguments name something else', () => {
  const args = { 'process.command_args': ['sshd', '-D'] };
  match(writer()(lineOf({ object: '/tmp/evil' }, args)), / {2}\/tmp\/evil as sshd -D {2}/);
});

test('a long command is cut between characters and marked', () => {
  const print = writer();
  for (const [argument, shown] of [
    ['x'.repeat(9000), 'x'.repeat(497)],
    [`x${'\u{1f600}'.repeat(300)}`, `'x${'\u{1f600}'.repeat(247)}`],
  ])
    match(
      print(lineOf({}, { 'process.command_args': ['ls', argument] })),
      new RegExp(` {2}ls ${shown} … {2}`, 'u'),
    );
  const object = `/${'d'.repeat(4000)}`;
  match(print(lineOf({ object })), / {2}\/d{499} … {2}/);
});

test('truncated arguments are marked', () => {
  const args = { 'process.command_args': ['ls', 'x'], 'vcml.process.args_truncated': true };
  match(writer()(lineOf({}, args)), /ls x … {2}/);
});

test('gaps are marked with their reason, and with the ancestor where it is known', () => {
  match(writer()(lineOf()), / {2}⁇ untracked\n$/);
  const ancestor = {
    'vcml.gap.reason': 'predates_hook',
    'vcml.gap.ancestor.pid': 1,
    'vcml.gap.ancestor.comm': 'systemd',
  };
  match(writer()(lineOf({}, ancestor)), / {2}⁇ predates_hook: systemd\[1\]\n$/);
});

const losses: [attributes: Fields, text: string][] = [
  [{ 'vcml.loss.count': 120, 'vcml.loss.cpu': 1 }, 'lost 120 records on cpu 1 (ring_buffer)'],
  [{ 'vcml.loss.count': 1, 'vcml.loss.cpu': 0 }, 'lost 1 record on cpu 0 (ring_buffer)'],
  [{}, 'lost an unknown number of records (ring_buffer)'],
];

for (const [attributes, text] of losses)
  test(`a loss is shown as: ${text}`, () => {
    const loss = { 'vcml.loss.stage': 'ring_buffer', ...attributes };
    equal(writer()(lineOf({ action: 'journal.loss' }, loss)), `14:03:07.123  ‼ ${text}\n`);
  });

test('the beginning and the end of a run are shown', () => {
  const state = { 'vcml.hook.state': 'attached', 'vcml.agent.version': '1.2.3' };
  match(writer()(lineOf({ action: 'journal.start' }, state)), /hook attached, vcml-agent 1\.2\.3/);
  match(writer()(lineOf({ action: 'journal.stop' }, { 'vcml.hook.state': 'kept' })), /hook kept/);
});

test('colours are used only on request', () => {
  ok(writer(true)(lineOf()).includes('\u001b['));
  ok(!writer(false)(lineOf()).includes('\u001b'));
});

test('a bounded number of parents is remembered, and the oldest is forgotten first', () => {
  const print = writer();
  for (let n = 0; n < 21_000; n++) print(lineOf({ id: `id-${n}` }));
  match(print(lineOf({ parent_cause: 'id-20999' })), /← ls\[42\]/);
  match(print(lineOf({ parent_cause: 'id-0' })), /← id-0…/);
});

/** Every character that can move, colour, hide or reorder text. */
const HOSTILE = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, code) => 0x7f + code),
  0xad,
  0x61c,
  0x115f,
  0x180e,
  0x200b,
  0x200c,
  0x200d,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  0x202a,
  0x202b,
  0x202c,
  0x202d,
  0x202e,
  0x2060,
  0x2066,
  0x2067,
  0x2068,
  0x2069,
  0x3164,
  0xd800,
  0xdfff,
  0xfeff,
  0xfffb,
  0xe0001,
  0xe0041,
].map((code) => String.fromCodePoint(code));

const places: [name: string, line: (bad: string) => string][] = [
  ['object', (bad) => lineOf({ object: `/x${bad}` })],
  ['arguments', (bad) => lineOf({}, { 'process.command_args': ['ls', `x${bad}`] })],
  ['the first argument', (bad) => lineOf({}, { 'process.command_args': [`${bad}`, 'x'] })],
  ['the reason of a gap', (bad) => lineOf({}, { 'vcml.gap.reason': bad })],
  [
    'the ancestor',
    (bad) => lineOf({}, { 'vcml.gap.ancestor.pid': 1, 'vcml.gap.ancestor.comm': bad }),
  ],
  ['the id of a parent', (bad) => lineOf({ parent_cause: `${bad}1` })],
  [
    'the path of the ancestor',
    (bad) =>
      lineOf(
        {},
        { 'vcml.gap.ancestor.pid': 1, 'vcml.gap.ancestor.executable.path': `/bin/x${bad}` },
      ),
  ],
  ['the pid of the ancestor', (bad) => lineOf({}, { 'vcml.gap.ancestor.pid': bad })],
  [
    'the namespace',
    (bad) => lineOf({ resource: { 'k8s.namespace.name': bad, 'k8s.pod.name': 'p' } }),
  ],
  ['the container', (bad) => lineOf({ resource: { 'k8s.container.name': bad } })],
  ['the id of the container', (bad) => lineOf({ resource: { 'container.id': bad } })],
  ['the pid', (bad) => lineOf({}, {}, { pid: `7${bad}` })],
  ['the user id', (bad) => lineOf({}, {}, { uid: `7${bad}` })],
  ['the time', (bad) => lineOf({ timestamp: `7${bad}` })],
  [
    'the count of a loss',
    (bad) => lineOf({ action: 'journal.loss' }, { 'vcml.loss.count': bad, 'vcml.loss.cpu': bad }),
  ],
  [
    'the version of the agent',
    (bad) => lineOf({ action: 'journal.start' }, { 'vcml.agent.version': bad }),
  ],
  [
    'the counts of a run',
    (bad) =>
      lineOf(
        { action: 'journal.stop' },
        {
          'vcml.journal.records': bad,
          'vcml.journal.gaps': bad,
          'vcml.journal.losses': bad,
        },
      ),
  ],
  ['the pod', (bad) => lineOf({ resource: { 'k8s.pod.name': bad } })],
  ['the action', (bad) => lineOf({ action: `x${bad}` })],
  ['the stage of a loss', (bad) => lineOf({ action: 'journal.loss' }, { 'vcml.loss.stage': bad })],
  [
    'the state of the hook',
    (bad) => lineOf({ action: 'journal.stop' }, { 'vcml.hook.state': bad }),
  ],
];

function isHarmless(printed: string, bad: string): boolean {
  const text = printed.slice(0, -1);
  return printed.endsWith('\n') && !text.includes(bad);
}

for (const [name, line] of places)
  test(`no control, bidi or invisible character gets through by ${name}`, () => {
    for (const bad of HOSTILE) {
      const printed = writer()(line(bad));
      ok(
        isHarmless(printed, bad),
        `U+${bad.codePointAt(0)?.toString(16)}: ${JSON.stringify(printed)}`,
      );
    }
  });

test('no invisible character gets through by the comm that children show of their parent', () => {
  for (const bad of HOSTILE) {
    const print = writer();
    print(lineOf({ id: 'p' }, {}, { comm: `sh${bad}` }));
    ok(isHarmless(print(lineOf({ parent_cause: 'p' })), bad));
  }
});

test('no invisible character gets through by the name of a user', () => {
  ok(isHarmless(writer()(lineOf({}, {}, { uid: 7 })), '\u001b'));
});

test('two different names never look the same', () => {
  const shown = (arg: string) => writer()(lineOf({}, { 'process.command_args': ['ls', arg] }));
  // In a record a backslash of the name is doubled.
  ok(shown('a\nb') !== shown('a\\\\nb'));
  ok(shown('a\u001bb') !== shown('a\\\\x1bb'));
});

test('a line that is not a record has no view', () => {
  for (const line of ['', 'x', 'null', '7', '{}', '{"action":"exec"}'])
    equal(viewOf(line), undefined);
});
