import { deepEqual, equal, match } from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditLogAt } from '../../../forensics/exec-requests/audit-log.ts';
import { windowsOf } from '../../../forensics/exec-requests/windows.ts';
import { readRecord, type StoredRecord } from '../../../record/read.ts';
import { text } from '../../check/craft.ts';
import { carries, entry, event } from '../../integration/forensics/exec-requests/scene.ts';
import { Folder } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
let logs = 0;

function recordOf(id: unknown, variable?: string, at = 10): StoredRecord {
  const record = readRecord(text(entry(at, carries(id, variable))));
  if (record === undefined) throw new Error('it is no record');
  return record;
}

/** What a log of these events makes of the claim of a record. */
async function verdictOn(record: StoredRecord, ...events: readonly string[]) {
  logs += 1;
  const log = await auditLogAt(folder.journal(`audit-${logs}.log`, events), {})([]);
  return log.verdictOn(record)?.kind;
}

for (const [what, id, annotations, verdict] of [
  ['an annotation of another name', 'u', { 'x/OTHER': 'u' }, 'missing'],
  ['an annotation whose name only ends so', 'u', { 'x/MY_SPO': 'u' }, 'missing'],
  ['an annotation without a prefix', 'u', { SPO: 'u' }, 'missing'],
  ['an annotation that is no text', 'u', { 'x/SPO': ['u'] }, 'missing'],
  ['an annotation', 'u', { 'x/SPO': 'u' }, 'confirmed'],
  ['an annotation of each of two webhooks', 'u', { 'x/SPO': 'u', 'y/SPO': 'v' }, 'confirmed'],
  ['an audit ID beside an annotation', 'a', { 'x/SPO': 'u' }, 'confirmed'],
  ['annotations that are no object', 'u', 'x/SPO', 'missing'],
] as const)
  test(`the id of a request may be ${what}: ${verdict}`, async () => {
    const line = JSON.stringify({ ...JSON.parse(event({ id: 'a' })), annotations });
    equal(await verdictOn(recordOf(id, 'SPO'), line), verdict);
  });

test('a backslash in an id is the same, although records escape it', async () => {
  equal(await verdictOn(recordOf('a\\\\b'), event({ id: 'a\\b' })), 'confirmed');
  equal(await verdictOn(recordOf('a\\b'), event({ id: 'a\\b' })), 'missing');
});

test('the stages of a request are one, in any order and as often as they come', async () => {
  const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete'].map((stage) =>
    event({ id: 'a', stage }),
  );
  for (const lines of [stages, stages.toReversed(), [...stages, ...stages]])
    equal(await verdictOn(recordOf('a'), ...lines), 'confirmed');
});

test('an answer that permits is found in the decision, too', async () => {
  const permitted = { 'authorization.k8s.io/decision': 'allow' };
  const forbidden = { 'authorization.k8s.io/decision': 'forbid' };
  const asked = { id: 'a', stage: 'RequestReceived' };
  equal(await verdictOn(recordOf('a'), event(asked)), 'undecided');
  equal(await verdictOn(recordOf('a'), event({ ...asked, annotations: permitted })), 'confirmed');
  equal(
    await verdictOn(recordOf('a'), event({ ...asked, annotations: forbidden })),
    'contradicted',
  );
});

for (const [what, record] of Object.entries({
  'no id': recordOf(undefined),
  'an empty id': recordOf(''),
  'a number': recordOf(7),
  'a list': recordOf(['a']),
}))
  test(`an entry with ${what} claims no request`, async () => {
    equal(await verdictOn(record, event({ id: 'a' }), event({ id: 7 })), undefined);
  });

const UID = '5c1f9d0a-7b0e-4a57-9a43-2f6f0c2f1d11';
const PUT = ['env', `SPO=${UID}`, 'ls', '-l'];
const given = { id: 'a', command: ['ls', '-l'], annotations: { 'x/SPO': UID } };
const written = { id: 'b', user: 'bob', command: PUT };
/** What a client may write so that other readers than the server's see no command in it. */
const query = PUT.map((word) => `command=${encodeURIComponent(word)}`).join('&');
const REASON = { 'authorization.k8s.io/REASON': UID, 'authorization.k8s.io/reason': UID };

for (const [what, args, events, verdict] of [
  ['that a webhook put there', PUT, [given], 'confirmed'],
  ['with a path before env', ['/bin/env', ...PUT.slice(1)], [given], 'confirmed'],
  ['before another command', [...PUT.slice(0, 2), 'id'], [given], 'contradicted'],
  ['that another request may have', PUT, [given, written], 'ambiguous'],
  ['of a request with a second question mark', PUT, [given, { ...written, query }], 'ambiguous'],
  [
    'that a request to the kubelet may have',
    PUT,
    [given, { ...written, query, node: 'n' }],
    'ambiguous',
  ],
  [
    'beside a request whose command is no text',
    PUT,
    [given, { ...written, query: 'command=%E2%82' }],
    'ambiguous',
  ],
  ['that only its user put there', PUT, [written], undefined],
  ['that Kubernetes notes', PUT, [{ ...given, annotations: REASON }], undefined],
  ['in another variable', ['env', `OTHER=${UID}`, 'ls', '-l'], [given], undefined],
  ['that is an audit ID', PUT, [{ ...given, id: UID, annotations: {} }], undefined],
  [
    'that is no UUID',
    ['env', 'SPO=u', 'ls'],
    [{ ...given, annotations: { 'x/SPO': 'u' } }],
    undefined,
  ],
  ['behind another setting', ['env', 'A=b', ...PUT.slice(1)], [given], undefined],
  ['of another program', ['nice', ...PUT.slice(1)], [given], undefined],
] as const)
  test(`an id in the command line ${what}: ${verdict ?? 'no claim'}`, async () => {
    const record = readRecord(
      text(entry(10, { 'process.command_args': args, 'process.args_count': args.length })),
    );
    if (record === undefined) throw new Error('it is no record');
    equal(await verdictOn(record, ...events.map(event)), verdict);
  });

test('a claim that the log contradicts hides no candidate', async () => {
  const record = recordOf('a');
  const events = [event({ id: 'a', pod: 'cart-1' }), event({ id: 'b', user: 'bob' })];
  logs += 1;
  const log = await auditLogAt(folder.journal(`audit-${logs}.log`, events), {})([]);
  const [own = '', ...others] = log.remarksOn(record);
  match(own, /^contradicted: /);
  match(others.join('\n'), /^candidate: pods\/exec by bob/);
});

test('names that objects have by themselves are ids like others', async () => {
  for (const id of ['__proto__', 'constructor', 'toString'])
    deepEqual(
      [
        await verdictOn(recordOf(id), event({ id })),
        await verdictOn(recordOf(id), event({ id: 'a' })),
      ],
      ['confirmed', 'missing'],
    );
});

test('the times around records do not overlap', () => {
  const [window] = windowsOf([recordOf('a')], 0n);
  const [wide, ...more] = windowsOf([recordOf('a'), recordOf('b', undefined, 20)], 5n, 1000n);
  deepEqual(more, []);
  deepEqual(wide, { first: (window?.first ?? 0n) - 1000n, last: (window?.last ?? 0n) + 1015n });
});
