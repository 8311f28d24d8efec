import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { metadataFlags } from './access.ts';
import { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { CHILDREN, playIncident } from './incident.ts';
import { DIR } from './place.ts';
import { startRecorder } from './recorder.ts';
import { idsIn, Tutorial, unwrapped } from './tutorial.ts';

const AUDIT_LOG = `${DIR}/log/audit.log`;
const SUM = '/tmp/busybox sha256sum';

const folder = temporaryFolder();
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

const pod = await playIncident(cluster);
await saveEvidence();

const tutorial = new Tutorial('investigating', folder);
const ask = (...args: readonly string[]) => tutorial.ask(...args);

let child = '';
let loop = '';

test('the journal is sound, and states what is missing', async () => {
  assert.match(await ask('audit', 'node-1'), /^sound: \d+ lines .*0 FAIL, 0 WARN/m);
  assert.match(await ask('gaps', 'node-1'), /predates_hook/);
});

test('one program in one pod is in no image', async () => {
  const sql =
    'SELECT pod, executable, count(*) AS n, min(time) AS first FROM execs ' +
    'WHERE upper_layer GROUP BY ALL';
  const answer = unwrapped(await ask('query', '--sql', sql, 'node-1'));
  assert.match(answer, new RegExp(`${pod} /tmp/busybox ${CHILDREN + 1} `));
  const found = await ask('query', '--upper-layer', '--limit', '2', 'node-1');
  assert.match(found, new RegExp(`root {2}busybox\\[\\d+\\] {2}node-1 {2}shop/${pod}/app`));
  child = idsIn(found)[1] ?? '';
});

test('its chain leads through the loop to the exec, and names who may be behind it', async () => {
  const answer = await ask('chain', child, '--audit-log', 'audit.log', 'node-1');
  const text = unwrapped(answer);
  const order = [
    SUM,
    '/tmp/busybox sh -c',
    'candidate: pods/exec by',
    'runc',
    'the chain ends here',
  ];
  const places = order.map((part) => text.indexOf(part));
  assert.ok(!places.includes(-1), answer);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.match(text, /by system:serviceaccount:shop:deployer from .*same container, same command/);
  assert.match(text, /predates_hook: .*containerd/);
});

test('the entries into the pod show how the program got there', async () => {
  const answer = await ask('query', '--pod', `shop/${pod}`, '--entry', 'exec', 'node-1');
  assert.match(unwrapped(answer), /sh -c 'cat >\/tmp\/busybox; chmod \+x \/tmp\/busybox'/);
  const ids = idsIn(answer);
  assert.equal(ids.length, 2, answer);
  loop = ids[1] ?? '';
});

test('the tree of the loop shows its repeated child once', async () => {
  const answer = await ask('tree', loop, 'node-1');
  assert.match(unwrapped(answer), new RegExp(`×\\s?${CHILDREN}\\b`));
  assert.ok(unwrapped(answer).includes(SUM), answer);
});

test('a report for the ticket is one file', async () => {
  await ask('report', loop, '--audit-log', 'audit.log', '-o', 'incident.html', 'node-1');
  const html = readFileSync(join(folder, 'incident.html'), 'utf8');
  assert.ok(html.includes('system:serviceaccount:shop:deployer'));
});

test('docs/investigating.md runs the same commands', () => {
  tutorial.assertShown();
});

/** Copies the journal, while the agent writes, and the API server's audit log to the folder. */
async function saveEvidence(): Promise<void> {
  const { agent } = recorder;
  await recorder.waitFor('the loop’s children', () => {
    const children = agent.journal.withMarker('sha256sum');
    return children.length < CHILDREN ? undefined : children;
  });
  cpSync(agent.journalDir, join(folder, 'node-1'), { recursive: true });
  // The API server writes an event when the request has ended.
  await eventually('the requests in the audit log', async () => {
    const log = existsSync(AUDIT_LOG) ? readFileSync(AUDIT_LOG, 'utf8') : '';
    return log.split('"stage":"ResponseComplete"').length > 2 ? true : undefined;
  });
  copyFileSync(AUDIT_LOG, join(folder, 'audit.log'));
}
