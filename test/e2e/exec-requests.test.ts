import { deepEqual, equal, match } from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { vcml } from '../support/forensics.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { metadataFlags } from './access.ts';
import { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import {
  ALICE,
  BOB,
  execAs,
  FORGER,
  nameOf,
  overlapping,
  podOf,
  prepareSessions,
  startForger,
  type User,
} from './exec-sessions.ts';
import { run } from './network.ts';
import { DIR } from './place.ts';
import { startRecorder } from './recorder.ts';

const SESSIONS = Number(process.env.EXEC_SESSIONS ?? 200);
const AUDIT_LOG = `${DIR}/log/audit.log`;
/** An id that no request has. */
const FAKE = '00000000-aaaa-4bbb-8ccc-000000000000';
const FAKES = [ALICE, BOB].map(({ variable }) => `${variable}=${FAKE}`);

const folder = temporaryFolder();
const journal = join(folder, 'journal');
const log = join(folder, 'audit.log');
const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const recorder = await startRecorder(...(await metadataFlags(cluster)));
after(() => recorder[Symbol.asyncDispose]());
after(await prepareSessions(cluster));

/** The marks of what is in no list of sessions. */
const OTHERS = [
  'forged-alice',
  'forged-bob',
  'stolen-from-bob',
  'of-the-forger',
  'into-the-forger',
];

/** What a session does; `mark` is in the arguments of its last exec. */
const FORMS: readonly ((mark: string) => readonly string[])[] = [
  (mark) => ['true', mark],
  (mark) => ['sh', '-c', `/bin/true ${mark}; exit`],
  (mark) => ['sh', '-c', `trap '' HUP; (sleep 1; /bin/true ${mark}) & exit`],
  (mark) => ['setsid', 'sh', '-c', `(sleep 1; /bin/true ${mark}) & exit`],
  (mark) => ['sh', '-c', `env -i /bin/true ${mark}; exit`],
  (mark) => ['sh', '-c', `env ${FAKES.join(' ')} sh -c '/bin/true ${mark}; exit'`],
];

const marks = new Map<User, string[]>([
  [ALICE, []],
  [BOB, []],
]);
const sessions = Array.from({ length: SESSIONS }, (_, n) => {
  const user = n % 2 === 0 ? ALICE : BOB;
  const mark = `session-${user.name}-${n}`;
  marks.get(user)?.push(mark);
  return () => execAs(user, FORMS[(n >> 1) % FORMS.length]?.(mark) ?? []);
});
await overlapping(sessions);
// The command lines of these requests name another id, and their own runs before it.
await execAs(ALICE, ['env', ...FAKES, 'true', 'forged-alice']);
await execAs(BOB, ['env', ...FAKES, 'true', 'forged-bob']);
// No webhook sees what the administrator asks for, and the command line names an id that was given.
const stolen = await eventually(
  'a request with an id',
  async () => /"[^"]*SPO_EXEC_REQUEST_UID":"([^"]+)"/.exec(readFileSync(AUDIT_LOG, 'utf8'))?.[1],
);
const theft = ['env', `${BOB.variable}=${stolen}`, 'true', 'stolen-from-bob'];
await run(['kubectl', 'exec', '--namespace=shop', podOf(BOB), '--', ...theft]);
// Here the variable stands twice, and the second one is that of the request.
await startForger(cluster, stolen);
await execAs(ALICE, ['true', 'into-the-forger'], FORGER);
await saveEvidence();

for (const user of [ALICE, BOB])
  test(`everything that the sessions of ${user.name} caused is found, and nothing else`, async () => {
    const found = await marksOf(user);
    deepEqual(found, [...(marks.get(user) ?? []), `forged-${user.name}`].toSorted());
  });

test('a chain names the user as a fact', async () => {
  const id = idOf('session-alice-0');
  const { code, stdout, stderr } = await vcml('chain', id, '--audit-log', log, journal);
  equal(code, 0, stderr);
  match(stdout.replaceAll(/\s+/g, ' '), /alice.*confirmed by the audit log/);
});

test('an id that was given to another request contradicts it', async () => {
  const id = idOf('stolen-from-bob');
  const { stdout } = await vcml('chain', id, '--audit-log', log, journal);
  match(stdout, /contradicted/);
});

test('a variable that the pod sets itself is no authority', () => {
  for (const mark of ['of-the-forger', 'into-the-forger']) {
    const [record] = recorder.agent.journal.withMarker(mark);
    equal(record?.resource['k8s.pod.name'], FORGER);
    equal(record.attributes['vcml.authority.source'], undefined);
  }
});

test('the journal is sound', async () => {
  const { code, stdout, stderr } = await vcml('audit', journal);
  equal(code, 0, stderr);
  match(stdout, /^sound: .*0 FAIL, 0 WARN/m);
});

/** Returns the marks in what a user's sessions caused, in order. */
async function marksOf(user: User): Promise<string[]> {
  const selection = ['--kubernetes-user', nameOf(user), '--audit-log', log];
  const { code, stdout, stderr } = await vcml('query', ...selection, '--output', 'jsonl', journal);
  equal(code, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const args = JSON.parse(line).attributes['process.command_args'] as readonly string[];
      return /true$/.test(args[0] ?? '') ? args.slice(1) : [];
    })
    .toSorted();
}

function idOf(mark: string): string {
  return recorder.agent.journal.withMarker(mark).at(-1)?.id ?? '';
}

/** Copies the journal and the API server's audit log, when both have everything. */
async function saveEvidence(): Promise<void> {
  const all = [...marks.values()].flat().concat(OTHERS);
  const { journal: followed } = recorder.agent;
  await recorder.waitFor('every mark', () =>
    all.every((mark) => followed.withMarker(mark).length > 0) ? true : undefined,
  );
  await eventually('the requests in the audit log', async () => {
    const text = existsSync(AUDIT_LOG) ? readFileSync(AUDIT_LOG, 'utf8') : '';
    return text.split('"stage":"ResponseComplete"').length > SESSIONS + 4 ? true : undefined;
  });
  cpSync(recorder.agent.journalDir, journal, { recursive: true });
  copyFileSync(AUDIT_LOG, log);
}
