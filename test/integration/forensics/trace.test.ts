import { deepEqual, equal, match } from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Draft, exec, execId, start, text } from '../../check/craft.ts';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../support/clickhouse/stored.ts';
import { Folder, remarksIn, vcml } from '../../support/forensics.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OTHER = 'a'.repeat(32);

/** An exec that another one caused, with a trace or without. */
function effect(at: number, cause: number | undefined, more: Record<string, unknown> = {}): Draft {
  const parent = cause === undefined ? {} : { parent: execId(cause, 100 + cause) };
  return exec(at, 100 + at, 0, at, { ...parent, ...more });
}

function carrying(traceId: string): Record<string, unknown> {
  return {
    'vcml.trace.trace_id': traceId,
    'vcml.trace.span_id': '00f067aa0ba902b7',
    'vcml.trace.flags': 1,
  };
}

const CUT = { 'vcml.process.environment_truncated': true };

/** A step that carries the trace, and what it caused: with it, with none, with another, and cut. */
const OWN = [
  effect(20, 10, carrying(TRACE)),
  effect(30, 20, carrying(TRACE)),
  effect(40, 20),
  effect(50, 40, CUT),
  effect(60, 40, carrying(OTHER)),
  // A second step.
  effect(70, 10, carrying(TRACE)),
  effect(80, 70),
];
const LINES = [
  start([1]),
  effect(10, undefined),
  ...OWN,
  effect(90, 10),
  effect(91, 10, CUT),
  effect(92, 10, carrying(OTHER)),
  effect(93, 92),
].map(text);
const IDS = OWN.map(({ id }) => String(id));

const folder = new Folder();
after(() => folder.close());
const journal = folder.journal('node/journal.jsonl', LINES);

function idsIn(jsonl: string): string[] {
  return jsonl.split('\n').flatMap((line) => (line === '' ? [] : [String(JSON.parse(line).id)]));
}

for (const command of ['query', 'tree'])
  test(`${command} --trace finds what carries a trace, and all that it caused`, async () => {
    const asked = ['--trace', TRACE, '--output', 'jsonl', journal];
    const { stdout, stderr, code } = await vcml(command, ...asked);
    equal(code, 0, stderr);
    deepEqual(idsIn(stdout).toSorted(), IDS.toSorted());
    match(stderr, new RegExp(`--trace ${TRACE}: 3 execs with it, and 4 more that they caused`));
    match(stderr, /1 exec may have a trace that is not recorded: environment truncated/);
  });

test('a tree of a trace has its steps as roots', async () => {
  const { stdout } = await vcml('tree', '--trace', TRACE, '--no-collapse', journal);
  const steps = [...stdout.matchAll(/^([0-9a-f]{8}) \S+ x\[/gm)].map(([, id]) => id);
  deepEqual(
    steps,
    [IDS[0], IDS[5]].map((id) => id?.slice(0, 8)),
  );
});

test('a selection takes a part of it, and an id may have capital letters', async () => {
  const late = ['--since', '2025-11-24T16:16:40.000000040Z', '--output', 'jsonl'];
  const { stdout } = await vcml('query', '--trace', TRACE.toUpperCase(), ...late, journal);
  deepEqual(idsIn(stdout), IDS.slice(2));
});

test('a trace that nothing carries has no tree', async () => {
  const { code, stderr } = await vcml('tree', '--trace', 'f'.repeat(32), journal);
  equal(code, 1);
  match(stderr, /no record matches this selection/);
  match(stderr, /0 execs with it, and 0 more/);
});

for (const [what, args, says] of [
  ['too short', ['tree', '--trace', TRACE.slice(1)], /32 hexadecimal digits/],
  ['zero', ['tree', '--trace', '0'.repeat(32)], /not all zero/],
  ['no hexadecimal number', ['query', '--trace', `g${TRACE.slice(1)}`], /32 hexadecimal digits/],
  ['a whole TRACEPARENT', ['query', '--trace', `00-${TRACE}-00f067aa0ba902b7-01`], /32 hex/],
  ['empty', ['tree', '--trace', ''], /32 hexadecimal digits/],
  ['with --sql', ['query', '--trace', TRACE, '--sql', 'SELECT 1'], /cannot be combined with --sql/],
  [
    'with a user',
    ['tree', '--trace', TRACE, '--kubernetes-user', 'a', '--audit-log', journal],
    /cannot be combined with --kubernetes-user/,
  ],
] as const)
  test(`a trace is refused that is ${what}`, async () => {
    const { code, stderr } = await vcml(...args, journal);
    equal(code, 64);
    match(stderr, says);
  });

test('a store says of a trace what files say', { skip: NO_CLICKHOUSE }, async (t) => {
  const store = await startStore(t);
  await store.insert(LINES);
  const since = ['--since', '2025-11-24T16:16:40.000000040Z'];
  for (const asked of [
    ['query', '--trace', TRACE, '--since', '2001-01-01'],
    ['query', '--trace', TRACE, ...since],
    ['query', '--trace', OTHER, '--since', '2001-01-01', '--node', 'node'],
    ['query', '--trace', TRACE, '--since', '2001-01-01', '--node', 'another'],
    ['tree', '--trace', TRACE, '--since', '2001-01-01', '--no-collapse'],
    ['tree', '--trace', TRACE, '--id', IDS[0] ?? ''],
    ['tree', '--trace', 'f'.repeat(32), '--since', '2001-01-01'],
  ]) {
    const expected = await vcml(...asked, journal);
    const found = await vcml(...asked, store.address);
    const what = `${asked.join(' ')}: ${found.stderr}`;
    equal(found.stdout, expected.stdout, what);
    equal(found.code, expected.code, what);
    // A store looks at one node alone.
    if (!asked.includes('--id') && !asked.includes('another'))
      equal(execsWith(found.stderr), execsWith(expected.stderr), what);
  }
});

/** The note about the execs that carry a trace. */
function execsWith(stderr: string): string {
  return /--trace .*/.exec(remarksIn(stderr))?.[0] ?? '';
}
