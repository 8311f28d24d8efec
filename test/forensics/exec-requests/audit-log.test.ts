import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readAuditLog } from '../../../forensics/exec-requests/audit-log.ts';
import { Folder } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
let files = 0;

const EVENT = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  auditID: 'a1',
  stage: 'ResponseStarted',
  requestURI: '/api/v1/namespaces/shop/pods/cart-0/exec?command=sh&command=-c&container=app',
  verb: 'create',
  user: { username: 'alice' },
  sourceIPs: ['192.0.2.7'],
  objectRef: { resource: 'pods', namespace: 'shop', name: 'cart-0', subresource: 'exec' },
  responseStatus: { code: 101 },
  requestReceivedTimestamp: '2025-11-24T16:16:39.000000Z',
};
const TEXT = JSON.stringify(EVENT);
const OTHER = JSON.stringify({ ...EVENT, auditID: 'a2', objectRef: { resource: 'secrets' } });

function read(content: string | Buffer, ending = 'log') {
  files += 1;
  return readAuditLog(folder.write(`audit-${files}.${ending}`, content), [], {});
}

for (const [what, content, ending] of [
  ['by itself', TEXT],
  ['behind a byte order mark', `\ufeff${TEXT}`],
  ['behind the name of a node, as `oc adm node-logs` prints it', `node-1.example ${TEXT}`],
  ['in an array', JSON.stringify([EVENT])],
  ['in an EventList', JSON.stringify({ kind: 'EventList', items: [EVENT] })],
  [
    'in CloudWatch’s events',
    JSON.stringify({ events: [{ timestamp: 1, message: TEXT }] }, null, 2),
  ],
  [
    'in the results of CloudWatch Logs Insights',
    JSON.stringify({ results: [[{ field: '@message', value: TEXT }]] }, null, 2),
  ],
  ['in a line of `aws logs tail`', `2025-11-24T16:16:39 kube-apiserver-audit-1 ${TEXT}`],
  ['in Azure’s kube-audit', JSON.stringify({ category: 'kube-audit', properties: { log: TEXT } })],
  ['in Azure’s records', JSON.stringify({ records: [{ properties: { log: `${TEXT}\n` } }] })],
  ['as Fluent Bit’s text', JSON.stringify({ date: 1.5, log: TEXT })],
  ['as Fluent Bit’s fields', JSON.stringify({ date: 1.5, ...EVENT, kubernetes: {} })],
  ['compressed', gzipSync(TEXT), 'log.gz'],
  ['printed over several lines', JSON.stringify(EVENT, null, 2)],
] as const)
  test(`an event ${what} is understood`, async () => {
    const { requests, summary } = await read(content, ending);
    assert.match(summary ?? '', /: 1 pods\/exec request in 1 (line|document)$/);
    assert.equal(requests[0]?.user, 'alice');
    assert.deepEqual(requests[0]?.command, ['sh', '-c']);
  });

test('an entry of Cloud Audit Logs has its command in a label, and no container', async () => {
  const entry = {
    insertId: 'i1',
    labels: { 'command.gke.io/command': 'sh -c id' },
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      authenticationInfo: { principalEmail: 'alice@example.com' },
      requestMetadata: { callerIp: '192.0.2.7' },
      methodName: 'io.k8s.core.v1.pods.exec.create',
      resourceName: 'core/v1/namespaces/shop/pods/cart-0/exec',
    },
    timestamp: '2025-11-24T16:16:39.000000Z',
  };
  const [request] = (await read(JSON.stringify(entry))).requests;
  const { user, namespace, pod, command, from } = request ?? {};
  assert.deepEqual(
    [user, namespace, pod, command, from],
    ['alice@example.com', 'shop', 'cart-0', 'sh -c id', '192.0.2.7'],
  );
  const status = { code: 7, message: 'PERMISSION_DENIED' };
  const refused = { ...entry, protoPayload: { ...entry.protoPayload, status } };
  assert.deepEqual((await read(JSON.stringify(refused))).requests, []);
});

for (const [what, events, expected] of [
  ['was received and then refused', [{ stage: 'RequestReceived' }, code(403)], 0],
  ['was refused, with its stages in another order', [code(403), { stage: 'RequestReceived' }], 0],
  ['was forbidden', [{ annotations: { 'authorization.k8s.io/decision': 'forbid' } }], 0],
  ['ended in a panic', [{ stage: 'Panic' }], 0],
  ['was only received', [{ stage: 'RequestReceived', responseStatus: undefined }], 1],
  ['was answered at each stage', [{ stage: 'RequestReceived' }, {}, code(101)], 1],
  ['had begun before it failed', [{}, code(500)], 1],
  ['had begun before it failed, in another order', [code(500), {}], 1],
  ['had begun before a panic', [{}, { stage: 'Panic', responseStatus: { code: 500 } }], 1],
] as const)
  test(`of a request that ${what}, ${expected} may have run something`, async () => {
    const lines = events.map((event) => `${JSON.stringify({ ...EVENT, ...event })}\n`);
    assert.equal((await read(lines.join(''))).requests.length, expected);
  });

function code(status: number): object {
  return { stage: 'ResponseComplete', responseStatus: { code: status } };
}

test('the audit ID alone does not make two requests one', async () => {
  const others = [
    { user: { username: 'bob' } },
    { impersonatedUser: { username: 'admin' } },
    { requestReceivedTimestamp: '2025-11-24T16:16:39.000001Z' },
    { requestURI: `${EVENT.requestURI}&command=id` },
  ];
  const lines = [{}, ...others].map((other) => `${JSON.stringify({ ...EVENT, ...other })}\n`);
  assert.equal((await read(lines.join(''))).requests.length, lines.length);
});

test('an event that is nested deeper than the stack is read beside what is deep in it', async () => {
  const deep = `"requestObject":${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  for (const text of [TEXT, `[${TEXT}]`, `node-1 ${TEXT}`]) {
    const { requests } = await read(text.replace('"verb"', `${deep},"verb"`));
    assert.equal(requests[0]?.user, 'alice');
  }
});

test('a request with impersonation names both users', async () => {
  const event = { ...EVENT, impersonatedUser: { username: 'admin' } };
  assert.equal((await read(JSON.stringify(event))).requests[0]?.user, 'alice as admin');
});

test('a log says how many requests it has, and how much of it is not understood', async () => {
  const { summary } = await read(`${OTHER}\n{torn\n\n${OTHER}\nplain text\n{"level":"info"}\n`);
  assert.match(
    summary ?? '',
    /: 0 pods\/exec requests in 5 lines, 3 lines without an audit event that is understood$/,
  );
});

test('a file that only claims to be gzip is named', async () => {
  await assert.rejects(
    read(TEXT, 'log.gz'),
    /audit-\d+\.log\.gz: damaged, so that nothing in it can be read/,
  );
});
