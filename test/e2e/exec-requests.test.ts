import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { copyFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { vcml } from '../support/forensics.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { metadataFlags } from './access.ts';
import { endChains, startChains } from './chains.ts';
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
import { type Chain, judgeChains } from './judge-chains.ts';
import { run } from './network.ts';
import { API_SERVER, DIR } from './place.ts';
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
await startChains(cluster);

/** The marks of what is in no list of sessions. */
const OTHERS = [
  'forged-alice',
  'forged-bob',
  'stolen-from-bob',
  'of-the-forger',
  'into-the-forger',
];

/** What starts a server in the pod of alice, and what others then do in it. */
const SERVER = ['tmux', '-L', 'shared', 'new', '-d', 'exec sleep 100000'];
const inServer = (mark: string) => ['tmux', '-L', 'shared', 'neww', '-d', `/bin/true ${mark}`];

/** What a session does; `mark` is in the arguments of its last exec. */
const FORMS: readonly ((mark: string) => readonly string[])[] = [
  (mark) => ['true', mark],
  (mark) => ['sh', '-c', `/bin/true ${mark}; exit`],
  (mark) => ['sh', '-c', `trap '' HUP; (sleep 1; /bin/true ${mark}) & exit`],
  (mark) => ['setsid', 'sh', '-c', `(sleep 1; /bin/true ${mark}) & exit`],
  (mark) => ['sh', '-c', `env -i /bin/true ${mark}; exit`],
  (mark) => ['sh', '-c', `env ${FAKES.join(' ')} sh -c '/bin/true ${mark}; exit'`],
  (mark) => ['tmux', '-L', mark, 'new', '-d', `/bin/true ${mark}`],
  inServer,
];

interface Session {
  readonly mark: string;
  /** who permitted what it does */
  readonly owner: User;
  /** in the command of the request that permitted it */
  readonly request: string;
  run(): Promise<void>;
}

const sessions = Array.from({ length: SESSIONS }, (_, n): Session => {
  const user = n % 2 === 0 ? ALICE : BOB;
  const mark = `session-${user.name}-${n}`;
  const form = FORMS[(n >> 1) % FORMS.length] ?? inServer;
  // The server forks what it is asked for, so that whoever started it permitted that.
  const [owner, request] = form === inServer ? [ALICE, SERVER.join(' ')] : [user, mark];
  return { mark, owner, request, run: () => execAs(user, form(mark), podOf(owner)) };
});
await execAs(ALICE, SERVER);
await overlapping(sessions.map(({ run }) => run));
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
const podChains = await endChains(cluster);
await saveEvidence();
const chains = [...podChains, ...sessions.map(chainOf)];

const pods = new Set(chains.map(({ pod }) => pod)).size;
test(`${chains.length} chains of ${pods} pods end at what permitted them, and at nothing else`, (context) => {
  const { missing, wrong, partial, bare } = judgeChains(chains, recorder.agent.records());
  context.diagnostic(`${bare} chains without an authority, ${partial.length} with a part of it`);
  deepEqual({ missing, wrong }, { missing: [], wrong: [] });
  ok(chains.length >= SESSIONS + 300);
});

for (const user of [ALICE, BOB])
  test(`everything that the sessions of ${user.name} caused is found, and nothing else`, async () => {
    const found = await marksOf(user);
    const own = sessions.filter(({ owner }) => owner === user).map(({ mark }) => mark);
    deepEqual(found, [...own, `forged-${user.name}`].toSorted());
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

/** Returns the chain of what a session did, with the id that its request has in the audit log. */
function chainOf({ mark, owner, request }: Session): Chain {
  const pod = podOf(owner);
  // The ids of bob's requests are in command lines, where only the audit log makes them an authority.
  if (owner === BOB) return { mark, pod, authority: {} };
  const asked = new RegExp(`\\b${request}\\b`);
  const { id } = requests().find(({ command }) => asked.test(command)) ?? {};
  return { mark, pod, authority: { type: 'exec_request', id, source: owner.variable } };
}

/** Returns the commands of the sessions in the audit log, with the ids that they got as those of alice. */
function requests(): readonly { readonly command: string; readonly id: string | undefined }[] {
  const lines = readFileSync(AUDIT_LOG, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => {
    const { stage, objectRef, requestURI, annotations = {} } = JSON.parse(line) as AuditEvent;
    if (stage !== 'ResponseComplete' || objectRef.namespace !== 'shop') return [];
    const command = new URL(requestURI, API_SERVER).searchParams.getAll('command').join(' ');
    const given = Object.entries(annotations).find(([key]) => key.endsWith(`/${ALICE.variable}`));
    return [{ command, id: given?.[1] }];
  });
}

/** The part of an event of the audit log that the tests read. */
interface AuditEvent {
  readonly stage: string;
  readonly objectRef: { readonly namespace: string };
  readonly requestURI: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function idOf(mark: string): string {
  return recorder.agent.journal.withMarker(mark).at(-1)?.id ?? '';
}

/** Copies the journal and the API server's audit log, when both have everything. */
async function saveEvidence(): Promise<void> {
  const all = [...sessions, ...podChains].map(({ mark }) => mark).concat(OTHERS);
  const wanted = [...Map.groupBy(all, (mark) => mark)];
  const { journal: followed } = recorder.agent;
  await recorder.waitFor('every mark', () =>
    wanted.every(([mark, { length }]) => followed.withMarker(mark).length >= length)
      ? true
      : undefined,
  );
  await eventually('the requests in the audit log', async () =>
    requests().length >= SESSIONS + 5 ? true : undefined,
  );
  cpSync(recorder.agent.journalDir, journal, { recursive: true });
  copyFileSync(AUDIT_LOG, log);
}
