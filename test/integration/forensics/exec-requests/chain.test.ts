import { doesNotMatch, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Draft, execId } from '../../../check/craft.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import {
  carries,
  effect,
  entry,
  event,
  journalOf,
  PLACE,
  type Request,
  VARIABLE,
} from './scene.ts';

const folder = new Folder();
after(() => folder.close());
const HOST = { 'host.name': 'node', 'os.type': 'linux' };
const ID = 'f4a3b2c1-1234-5678-9abc-def012345678';

/** What `chain` says about an entry's effect, in one line. */
async function chainOf(record: Draft, events?: readonly string[], ...options: string[]) {
  const last = effect(20, 10);
  const journal = folder.journal('journal.jsonl', journalOf(record, last));
  const log = events === undefined ? [] : ['--audit-log', folder.journal('audit.log', events)];
  const { stdout, stderr, code } = await vcml(
    'chain',
    String(last.id),
    ...log,
    ...options,
    journal,
  );
  equal(code, 0, stderr);
  return stdout.replaceAll(/\s+/g, ' ');
}

const claiming = (id: unknown = ID, variable?: string) => entry(10, carries(id, variable));
const requested = (request: Partial<Request> = {}) => event({ id: ID, ...request });

test('a request with the id of an entry names its user as a fact', async () => {
  const said = await chainOf(claiming(), [requested()]);
  match(
    said,
    /permitted by: user alice from 192\.0\.2\.7, confirmed by the audit log \(exec request f4a3b2c1-\S+ in KUBERNETES_EXEC_AUDIT_ID, same pod, same container, received 1000 ms before\)/,
  );
  doesNotMatch(said, /candidate|claimed/);
});

for (const [what, events, says] of [
  ['impersonates', [{ as: 'admin' }], /by: user alice as admin from 192\.0\.2\.7, confirmed/],
  [
    'has a name with spaces',
    [{ user: 'alice as admin' }],
    /by: user 'alice as admin' from 192\.0\.2\.7, confirmed/,
  ],
  ['names no container', [{ container: '' }], /confirmed .*same pod, container not named/],
  [
    'has its stages in another order',
    [{}, { stage: 'ResponseStarted' }, { stage: 'RequestReceived' }],
    /by: user alice from 192\.0\.2\.7, confirmed/,
  ],
  [
    'failed after it had begun',
    [{ stage: 'ResponseStarted' }, { code: 500 }],
    /alice.*, confirmed/,
  ],
  ['is for another pod', [{ pod: 'cart-1' }], /contradicted: .*to shop\/cart-1\/app .*another pod/],
  ['is for another namespace', [{ namespace: 'x' }], /contradicted: .*it is for another pod/],
  ['is for another container', [{ container: 'y' }], /contradicted: .*for another container/],
  ['came long before', [{ seconds: -75 }], /contradicted: .*it was received 75 s before/],
  ['came later', [{ seconds: 9 }], /contradicted: .*it was received 9 s after/],
  ['was refused', [{ code: 403 }], /contradicted: .*of user alice.*; it was refused/],
  [
    'has no answer in the log',
    [{ stage: 'RequestReceived' }],
    /claimed: .*user alice.*; the log does not have the answer to it/,
  ],
  [
    'another user has sent, too',
    [{}, { user: 'bob' }],
    /ambiguous: .*: 2 requests .*user alice from .*; user bob from/,
  ],
  [
    'was sent again for another pod, and refused',
    [{}, { user: 'bob', pod: 'z', code: 403 }],
    /ambiguous: .*user bob .*\(it was refused, it is for another pod\)/,
  ],
  [
    'was sent again later',
    [{}, { seconds: 3600 }],
    /ambiguous: .*: 2 requests .*\(it was received 3600 s after\)/,
  ],
] as const)
  test(`what a request that ${what} says about the entry with its id`, async () => {
    const said = await chainOf(claiming(), events.map(requested));
    match(said, says);
    if (!/confirmed/.test(`${says}`)) doesNotMatch(said, /confirmed|permitted by|candidate/);
  });

for (const [what, id] of Object.entries({
  'another one': 'other',
  'one that differs in case': ID.toUpperCase(),
  'a longer one': `${ID}0`,
  'a number': 5,
  'no text': null,
  'a list': [ID],
  'an empty one': '',
}))
  test(`an id is compared exactly with that of a request: ${what}`, async () => {
    const said = await chainOf(claiming(), [requested({ id, pod: 'cart-1' })]);
    match(said, /claimed, not in the audit log: exec request f4a3b2c1/);
    doesNotMatch(said, /confirmed|contradicted|alice/);
  });

test('an id that a webhook notes in the log under the variable is that of the request', async () => {
  const annotations = {
    'execmetadata.spo.io/SPO_EXEC_REQUEST_UID': 'uid-1',
    '/X': 5,
    SPO: 'uid-1',
  };
  const events = [requested({ annotations }), requested({ id: 'other', user: 'bob' })];
  const said = await chainOf(claiming('uid-1', 'SPO_EXEC_REQUEST_UID'), events);
  match(said, /user alice .*confirmed .*exec request uid-1 in SPO_EXEC_REQUEST_UID/);
  match(await chainOf(claiming('uid-1', VARIABLE), events), /claimed, not in the audit log/);
});

test('an entry without its pod or container is not confirmed', async () => {
  const { 'k8s.container.name': _, ...noContainer } = PLACE;
  const { 'k8s.pod.name': __, ...noPod } = noContainer;
  const says = (place: object) => chainOf(entry(10, carries(ID), place), [requested()]);
  match(await says(noContainer), /claimed: .*; the record does not name its container/);
  match(await says(noPod), /claimed: .*; the record does not name its pod/);
});

test('without an audit log, the id is a claim', async () => {
  const said = await chainOf(claiming());
  match(said, /claimed: exec request f4a3b2c1-\S+ in KUBERNETES_EXEC_AUDIT_ID/);
  doesNotMatch(said, /permitted by/);
});

test('an entry without an id has candidates, and a probe stays what it is', async () => {
  const probe = { 'vcml.authority.type': 'probe', 'vcml.authority.id': 'liveness' };
  const said = await chainOf(entry(10, probe), [requested()]);
  match(
    said,
    /same command as the liveness probe \(a person may have run it\) candidate: pods\/exec by alice/,
  );
  doesNotMatch(said, /permitted by|confirmed/);
});

test('an entry whose request the log has without an id has candidates beside its claim', async () => {
  const said = await chainOf(claiming(), [requested({ id: 5 })]);
  match(said, /claimed, not in the audit log: .* candidate: pods\/exec by alice/);
});

for (const [authority, entered, place, says] of [
  [
    {
      'vcml.authority.type': 'pod',
      'vcml.authority.id': 'u1',
      'vcml.authority.controller': ['ReplicaSet/cart-7d', 'Deployment/cart'],
      'vcml.authority.service_account': 'default',
    },
    'start',
    PLACE,
    /permitted by: pod shop\/cart-0 \(Deployment cart, service account default\)/,
  ],
  [{ 'vcml.authority.type': 'pod', 'vcml.authority.id': 'u1' }, 'start', HOST, /by: pod u1 /],
  [
    {
      'vcml.authority.type': 'unit',
      'vcml.authority.id': 'ssh.service',
      'vcml.unit': 'ssh.service',
    },
    'start',
    HOST,
    /\[unit entry: start\] permitted by: unit ssh\.service/,
  ],
  [
    {
      'vcml.authority.type': 'login',
      'vcml.authority.id': '1000',
      'vcml.authority.remote': '10.0.0.7',
      'vcml.authority.claimed': true,
    },
    'session',
    HOST,
    /permitted by: login uid 1000 from 10\.0\.0\.7 \(claimed\)/,
  ],
  [
    { 'vcml.authority.type': 'lifecycle', 'vcml.authority.id': 'pre_stop' },
    'exec',
    PLACE,
    /same command as the preStop handler \(a person may have run it\)/,
  ],
  [
    { 'vcml.authority.type': 'lifecycle', 'vcml.authority.id': 'constructor' },
    'exec',
    PLACE,
    /same command as the constructor handler/,
  ],
] as const)
  test(`a chain says what permitted it: ${says.source}`, async () => {
    const record = entry(10, { ...authority, 'vcml.entry': entered }, place);
    match(await chainOf(record), says);
    match(
      await chainOf(record, undefined, '--output', 'sentences'),
      /(Permitted by: |Same command).*\./,
    );
    const { 'vcml.entry': _, ...attributes } = record.attributes;
    doesNotMatch(await chainOf({ ...record, attributes }), /permitted by|same command/);
  });

test('a chain without an authority says why it ends, and nothing about permission', async () => {
  const said = await chainOf(entry(10, {}), [requested({ pod: 'cart-1' })]);
  match(said, /the chain ends here: predates_hook/);
  doesNotMatch(said, /permitted|claimed|none/);
});

for (const [what, id] of Object.entries({
  'controls the terminal': 'x\x1b[2J\u202e',
  'reads like a confirmation': 'x of user root, confirmed by the audit log',
  'is huge': 'y'.repeat(200_000),
}))
  test(`an id that ${what} is shown as what it is`, async () => {
    for (const events of [
      undefined,
      [],
      [requested({ id })],
      [requested({ id }), requested({ id, user: 'b' })],
    ]) {
      const said = await chainOf(claiming(id), events);
      doesNotMatch(said, /\p{C}/u);
      doesNotMatch(said, /request x of user/);
      equal(said.length < 5000, true);
      match(said, /exec request ('x|y{100,200}…|'y)/);
    }
  });

test('a user who sends one id very often is not shown as often', async () => {
  const many = Array.from({ length: 500 }, (_, n) => requested({ seconds: -n / 10 }));
  match(await chainOf(claiming(), many), /ambiguous: .*: 500 requests .*; and 480 more/);
});

test('tree, query and report say the same at the entry', async () => {
  const record = claiming();
  const journal = folder.journal('all.jsonl', journalOf(record, effect(20, 10)));
  const log = folder.journal('all.log', [requested()]);
  const page = join(folder.path, 'report.html');
  const ticket = join(folder.path, 'report.md');
  for (const command of [
    ['tree', String(record.id)],
    ['query'],
    ['report', String(record.id), '-o', page],
    ['report', String(record.id), '--markdown', '-o', ticket],
  ]) {
    const { code, stdout, stderr } = await vcml(...command, '--audit-log', log, journal);
    equal(code, 0, stderr);
    match(stderr, /1 pods\/exec request in 1 line/);
    const said = command[0] === 'report' ? readFileSync(command.at(-1) ?? '', 'utf8') : stdout;
    match(
      said.replaceAll(/\s+/g, ' '),
      /permitted by: user alice from 192\.0\.2\.7, confirmed by the audit log \(exec request f4a3b2c1-1234-5678-9abc-def012345678 in/i,
    );
    equal(said.match(/, confirmed/g)?.length, 1);
  }
});

test('a tree shows equal sessions of two users as two', async () => {
  const session = (at: number, cause: number, id: string) =>
    entry(at, { ...carries(id), parent: execId(cause, 100 + cause) });
  const runtime = effect(10, 9, HOST);
  const branches = [
    effect(20, 10, HOST),
    session(21, 20, 'a'),
    effect(30, 10, HOST),
    session(31, 30, 'b'),
  ];
  const again = [effect(40, 10, HOST), session(41, 40, 'b')];
  const journal = folder.journal('two.jsonl', journalOf(runtime, ...branches, ...again));
  const log = folder.journal('two.log', [
    requested({ id: 'a' }),
    requested({ id: 'b', user: 'bob' }),
  ]);
  const { stdout } = await vcml('tree', String(runtime.id), '--audit-log', log, journal);
  match(
    stdout.replaceAll(/\s+/g, ' '),
    /└ x\[120\] .*└ x\[121\] .*user alice.*└ x\[130\] ×2 .*└ x\[131\] .*user bob/,
  );
});
