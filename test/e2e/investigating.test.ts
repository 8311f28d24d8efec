import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT, VCML_BIN } from '../support/paths.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { metadataFlags } from './access.ts';
import { Cluster } from './cluster.ts';
import { CHILDREN, playIncident, saveEvidence } from './investigating-incident.ts';
import { startRecorder } from './recorder.ts';

const TUTORIAL = join(ROOT, 'docs/investigating.md');
/** The questions and answers of this run, from which docs/investigating.md is made. */
const TRANSCRIPT = join(ROOT, 'build/e2e/investigating.txt');
const SUM = '/tmp/busybox sha256sum';

const folder = temporaryFolder();
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());

const pod = await playIncident(cluster, recorder);
await saveEvidence(recorder, folder);

const commands: string[] = [];
let transcript = '';
after(() => writeFileSync(TRANSCRIPT, transcript));

/** Runs `vcml` in the folder with the evidence, as the investigator does. */
async function ask(...args: readonly string[]): Promise<string> {
  const command = ['vcml', ...args].map((word) => (/[\s'*]/.test(word) ? `"${word}"` : word));
  const answer = await new Promise<string>((resolve, reject) =>
    execFile(VCML_BIN, args, { cwd: folder }, (error, stdout, stderr) =>
      error === null ? resolve(stdout + stderr) : reject(error),
    ),
  );
  commands.push(command.join(' '));
  transcript += `$ ${command.join(' ')}\n${answer}\n`;
  return answer;
}

/** Returns the short ids of the records in an answer. */
function idsIn(answer: string): string[] {
  return Array.from(answer.matchAll(/^\d.* ([0-9a-f]{8})$/gm), ([, id = '']) => id);
}

/** Joins text that is wrapped at 80 columns. */
const unwrapped = (text: string) => text.replaceAll(/\s+/g, ' ');

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
  const plain = (command: string) =>
    command.replaceAll(/\b[0-9a-f]{8}\b/g, 'ID').replaceAll(/cart-[0-9a-z]+-[0-9a-z]+/g, 'POD');
  const shown = Array.from(
    readFileSync(TUTORIAL, 'utf8').matchAll(/^ {4}\$ (vcml (?:\\\n|.)*)$/gm),
    ([, command = '']) => command.replaceAll(/\\\n\s*/g, ''),
  );
  assert.deepEqual(shown.map(plain), commands.map(plain));
});
