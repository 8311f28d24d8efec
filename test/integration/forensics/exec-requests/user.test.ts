import { deepEqual, equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { HOOK, time } from '../../../check/craft.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';
import { carries, effect, entry, event, journalOf, PLACE } from './scene.ts';
import { AUDIT_LOG, JOURNAL, OF_ALICE, shortIds } from './sessions.ts';

const folder = new Folder();
after(() => folder.close());
const journal = folder.journal('journal.jsonl', JOURNAL);
const log = folder.journal('audit.log', AUDIT_LOG);

const ofAlice = ['--kubernetes-user', 'alice', '--audit-log', log];
const idsIn = (jsonl: string) =>
  jsonl.split('\n').flatMap((line) => (line === '' ? [] : [String(JSON.parse(line).id)]));

test('a query finds what the confirmed sessions of a user caused, wherever it went', async () => {
  const { stdout, stderr, code } = await vcml('query', ...ofAlice, '--output', 'jsonl', journal);
  equal(code, 0, stderr);
  deepEqual(idsIn(stdout), OF_ALICE);
  match(
    stderr,
    /--kubernetes-user alice: 2 exec sessions confirmed; never selected, whoever they are of: 2 contradicted, 1 ambiguous, 1 undecided, 1 not in the audit log; of unknown users, because they have no id: 1 entry, 1 entry with the command of a probe or handler$/m,
  );
});

test('entries without an id are counted in the places of a selection, and before its time', async () => {
  const probe = { 'vcml.authority.type': 'probe', 'vcml.authority.id': 'liveness' };
  const uuid = '6f1c5e7d-1f7d-4d0c-8a0b-0e9b2c649a22';
  // Anyone can write this, and the log knows nothing of it.
  const written = entry(40, {
    'process.command_args': ['env', `SPO_EXEC_REQUEST_UID=${uuid}`, 'x'],
  });
  const all = [
    entry(10, carries('id-alice')),
    entry(20, {}),
    entry(30, probe),
    written,
    entry(50, {}, { ...PLACE, 'k8s.pod.name': 'cart-1' }),
    effect(60, 20),
  ];
  const file = folder.journal('without.jsonl', journalOf(...all));
  const since = (nanoseconds: number) => ['--since', time(HOOK + BigInt(nanoseconds))];
  const of = 'of unknown users, because they have no id:';
  for (const [asked, says] of [
    [[], `${of} 3 entries, 1 entry with the command of a probe or handler`],
    [['--exe', '/bin/x', '--user', '7'], `${of} 3 entries, 1 entry with the command of`],
    [['--pod', 'cart-1'], `${of} 1 entry\n`],
    [['--pod', 'cart-0', ...since(35)], `${of} 1 entry, 2 entries before --since\n`],
    [['--until', time(HOOK + 20n)], '1 exec session confirmed\n'],
  ] as const) {
    const { stderr } = await vcml('query', ...ofAlice, ...asked, file);
    match(stderr, new RegExp(says));
  }
});

test('a selection takes a part of it, also where it leaves out the session itself', async () => {
  const inPod = await vcml('query', ...ofAlice, '--pod', 'cart-0', '--output', 'jsonl', journal);
  deepEqual(idsIn(inPod.stdout), OF_ALICE.toSpliced(2, 1));
  const since = ['--since', '2025-11-24T16:16:40.000000020Z'];
  const { stdout } = await vcml('query', ...ofAlice, ...since, '--output', 'jsonl', journal);
  deepEqual(idsIn(stdout), OF_ALICE.slice(1));
});

test('an impersonated user did nothing, and a name is compared exactly', async () => {
  for (const [user, count, sessions] of [
    ['admin', 0, 0],
    ['Alice', 0, 0],
    ['bob', 3, 2],
  ] as const) {
    const asked = ['--kubernetes-user', user, '--audit-log', log, '--output', 'jsonl'];
    const { stdout, stderr } = await vcml('query', ...asked, journal);
    equal(idsIn(stdout).length, count, stderr);
    match(stderr, new RegExp(`${user}: ${sessions} exec session`));
  }
});

test('of two entries with the id of one request, none is selected', async () => {
  const twice = [
    entry(10, carries('id')),
    entry(20, carries('id')),
    entry(30, carries('id'), { ...PLACE, 'k8s.pod.name': 'cart-1' }),
    entry(40, carries('other')),
  ];
  const asked = ['--kubernetes-user', 'alice', '--output', 'jsonl', '--audit-log'];
  const events = folder.journal('twice.log', [event({ id: 'id' }), event({ id: 'other' })]);
  const { stdout, stderr } = await vcml(
    'query',
    ...asked,
    events,
    folder.journal('twice.jsonl', journalOf(...twice)),
  );
  deepEqual(idsIn(stdout), [String(twice[3]?.id)]);
  match(stderr, /1 exec session confirmed; .*: 1 contradicted, 2 ambiguous/);
});

test('a tree and a report are about it, too', async () => {
  const tree = await vcml('tree', ...ofAlice, '--no-collapse', journal);
  equal(tree.code, 0, tree.stderr);
  deepEqual(shortIds(tree.stdout), OF_ALICE.map((id) => id.slice(0, 8)).toSorted());
  equal(tree.stdout.match(/permitted by: user alice/g)?.length, 2);
  const file = join(folder.path, 'report.md');
  const report = await vcml('report', ...ofAlice, '--markdown', '-o', file, journal);
  equal(report.code, 0, report.stderr);
  const text = readFileSync(file, 'utf8');
  for (const id of OF_ALICE) equal(text.includes(`  ${id.slice(0, 8)}`), true);
  match(text, /--kubernetes-user alice: 2 exec sessions confirmed/);
});

test('a user of whom nothing is confirmed has no tree, and stderr says why', async () => {
  const { code, stderr } = await vcml(
    'tree',
    '--kubernetes-user',
    'eve',
    '--audit-log',
    log,
    journal,
  );
  equal(code, 1);
  match(stderr, /no record matches this selection/);
  match(stderr, /eve: 0 exec sessions confirmed; never selected.* 1 ambiguous/);
});

for (const [what, args, says] of [
  [
    'without an audit log',
    ['query', '--kubernetes-user', 'a'],
    /needs the audit log .*add --audit-log FILE/,
  ],
  ['with --sql', ['query', ...ofAlice, '--sql', 'SELECT 1'], /cannot be combined with --sql/],
  ['that is empty', ['query', '--kubernetes-user', '', '--audit-log', log], /Must not be empty/],
  ['without an audit log, in a tree', ['tree', '--kubernetes-user', 'a'], /add --audit-log FILE/],
] as const)
  test(`--kubernetes-user ${what} is refused with a remedy`, async () => {
    const { code, stderr } = await vcml(...args, journal);
    equal(code, 64);
    match(stderr, says);
  });

test('an audit log that comes through a pipe is read once', async () => {
  const asked = ['query', '--kubernetes-user', 'alice', '--output', 'text', '--audit-log'];
  const { stdout, stderr } = await piped(readFileSync(log), [...asked, '/dev/stdin', journal]);
  equal(stdout.match(/permitted by: user alice/g)?.length, 2, stderr);
});

/** Runs `bin/vcml` with something on its standard input. */
async function piped(input: Buffer, args: readonly string[]) {
  const child = spawn(VCML_BIN, args);
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  return { stdout, stderr };
}
