import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';

const NOOP = program('noop');
const SYS_BOOT = 22n;
const NET_RAW = '0000000000002000';
const NOTHING = '0000000000000000';
const SETS = 'vcml.process.capabilities.';
/** The user and the group that no case has. */
const OWNER = 1001;

let agent: Agent;
let folder: string;

before(async () => {
  agent = await startAgent();
  folder = join(realpathSync(agent.directory), 'files');
  mkdirSync(folder);
  process.chdir(folder);
});
after(() => agent?.close());

let last = 0;

/** Runs words of privilege.c, and returns what the exec at their end says. */
async function execOf(words: string, file = NOOP) {
  const marker = `case:${last++}`;
  await runProgram('privilege', ...words.split(' ').filter(Boolean), file, marker);
  const { attributes } = await agent.journal.marked(marker);
  const sets = Object.entries(attributes).filter(([key]) => key.startsWith(SETS));
  return {
    sets: Object.fromEntries(sets.map(([key, value]) => [key.slice(SETS.length), value])),
    gained: attributes['vcml.privilege.gained'],
    seccomp: attributes['vcml.process.seccomp'],
  };
}

/** All capabilities of the kernel, and those that this process may have at most, if they are fewer. */
const FULL = textOf((2n << BigInt(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))) - 1n);
const OWN = /CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const USER = { effective: NOTHING, ...(OWN === FULL ? {} : { bounding: OWN }) };

function textOf(set: bigint): string {
  return set.toString(16).padStart(16, '0');
}

test('an ordinary exec says nothing but its effective capabilities, as root and as a user', async () => {
  const nothing = { gained: undefined, seccomp: undefined };
  assert.deepEqual(await execOf(''), { sets: { effective: OWN }, ...nothing });
  assert.deepEqual(await execOf('user'), { sets: USER, ...nothing });
});

test('an exec with fewer capabilities says its bounding set if it has none of them', async () => {
  const bounding = textOf(BigInt(`0x${OWN}`) & ~(1n << SYS_BOOT));
  assert.deepEqual((await execOf('bound')).sets, { effective: bounding });
  assert.deepEqual((await execOf('bound user')).sets, { effective: NOTHING, bounding });
});

test('an exec says its ambient, inheritable and permitted capabilities', async () => {
  assert.deepEqual((await execOf('ambient')).sets, {
    effective: NET_RAW,
    inheritable: NET_RAW,
    bounding: OWN,
    ambient: NET_RAW,
  });
  const inheritable = NET_RAW;
  assert.deepEqual((await execOf('inheritable')).sets, { effective: OWN, inheritable });
  assert.deepEqual((await execOf('inheritable user')).sets, { ...USER, inheritable });
  assert.deepEqual((await execOf('effective-user')).sets, { ...USER, permitted: OWN });
});

test('an exec says that a seccomp filter decides on its calls', async () => {
  assert.equal((await execOf('filter')).seccomp, 'filter');
  assert.equal((await execOf('no-new-privs user filter')).seccomp, 'filter');
  assert.equal((await execOf('no-new-privs')).seccomp, undefined);
});

/** Returns the path of a no-op of this mode and owner. */
function noopOf(mode: number, owner: number): string {
  const path = join(folder, `${mode.toString(8)}-${owner}`);
  copyFileSync(NOOP, path);
  chownSync(path, owner, owner);
  chmodSync(path, mode);
  return path;
}

const GAINED: readonly [words: string, mode: number, owner: number, gained?: string[]][] = [
  ['user', 0o4755, 0, ['setuid']],
  ['user', 0o4755, OWNER, ['setuid']],
  ['', 0o4755, OWNER, ['setuid']],
  ['user', 0o2755, 0, ['setgid']],
  ['user', 0o6755, OWNER, ['setuid', 'setgid']],
  ['user-but-effective', 0o4755, 0, ['setuid']],
  ['user', 0o755, 0],
  ['', 0o6755, 0],
  ['user', 0o6755, 1000],
  ['user', 0o2745, 0],
  ['user no-new-privs', 0o6755, 0],
  ['nosuid user', 0o6755, 0],
  // The effective ids are the file's already, and its bits are not why.
  ['nosuid user-but-effective', 0o6755, 0],
  ['user-but-effective no-new-privs', 0o6755, 0],
  ['namespace', 0o6755, 0],
];

for (const [words, mode, owner, gained] of GAINED)
  test(`a file of ${owner} with mode ${mode.toString(8)}, ${words || 'root'}: ${gained ?? 'nothing'} gained`, async () => {
    assert.deepEqual((await execOf(words, noopOf(mode, owner))).gained, gained);
  });

test('the journal is sound', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});
