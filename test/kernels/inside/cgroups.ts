import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, program, startAgent } from '../../support/agent.ts';

const MODE = process.env.CGROUP_MODE;
const CGROUPS = '/sys/fs/cgroup';
const UNIFIED = MODE === 'hybrid' ? join(CGROUPS, 'unified') : CGROUPS;
/** The v1 hierarchies by mount folder; those that name containers come first. */
const V1 = ['memory', 'pids', 'cpuacct', 'systemd'].filter((name) =>
  existsSync(join(CGROUPS, name)),
);

const POD = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
const SLICE = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice`;

let agent: Agent;

before(async () => {
  make(everywhere(), container('before'));
  agent = await startAgent();
});
after(() => agent?.close());

test('the kernel has the hierarchies of this guest', () => {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  // The kernel does not report a v2 that was never mounted.
  assert.equal(/^0::\/$/m.test(own), MODE !== 'v1', own);
  assert.equal(/^\d+:pids:\/$/m.test(own), MODE !== 'v2', own);
  assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(' cgroup2 '), MODE !== 'v1');
});

test('an exec names a container that is older than the agent', async () => {
  await assertLine('before', everywhere(), container('before'));
});

test('an exec names a container that starts while the agent is running', async () => {
  const path = container('after');
  make(everywhere(), path);
  await assertLine('after', everywhere(), path);
});

test('an exec names a container of the cgroupfs driver', async () => {
  const path = `/kubepods/burstable/pod${POD}/${id('cgroupfs')}`;
  make(everywhere(), path);
  await assertLine('cgroupfs', everywhere(), path);
});

test('an exec in a nested cgroup names its container', async () => {
  const path = `${container('nested')}/init/deeper`;
  make(everywhere(), path);
  await assertLine('nested', everywhere(), path);
});

test('an exec in a cgroup that a user named like a container names none', async () => {
  const user = { uid: 1000, gid: 1000 };
  const path = `/delegated.service${container('forged')}`;
  for (const folder of everywhere()) {
    const own = join(folder, 'delegated.service');
    mkdirSync(own);
    chownSync(own, user.uid, user.gid);
    execFileSync('mkdir', ['-p', join(folder, path)], user);
  }
  await run('forged', everywhere(), path);
  const { resource, attributes } = await agent.journal.marked('case:cgroup:forged');
  assert.match(String(attributes['process.linux.cgroup']), expected(everywhere(), path));
  assert.equal(resource['container.id'], undefined);
});

test('an exec names a cgroup that is removed before its record is written', async () => {
  const path = container('short');
  process.kill(agent.pid, 'SIGSTOP');
  try {
    make(everywhere(), path);
    await run('short', everywhere(), path);
    for (const folder of everywhere()) rmdirSync(join(folder, path));
  } finally {
    process.kill(agent.pid, 'SIGCONT');
  }
  const { attributes } = await agent.journal.marked('case:cgroup:short');
  assert.match(String(attributes['process.linux.cgroup']), expected(everywhere(), path));
});

test('an exec outside of containers names none', async () => {
  await assertLine('none', everywhere(), '/');
});

if (MODE === 'hybrid') {
  test('an exec names a container that is only in the v1 hierarchies', async () => {
    const folders = V1.map((name) => join(CGROUPS, name));
    const path = container('v1-alone');
    make(folders, path);
    await assertLine('v1-alone', folders, path);
  });
}

if (MODE !== 'v2') {
  test('an exec names a container that is only in the hierarchy of pids', async () => {
    const folders = [join(CGROUPS, 'pids')];
    const path = container('pids-alone');
    make(folders, path);
    await assertLine('pids-alone', folders, path);
  });
}

test('a restarted agent knows the existing cgroups', async () => {
  const path = container('away');
  await agent.kill();
  make(everywhere(), path);
  await run('away', everywhere(), path);
  await agent.start();
  const { attributes } = await agent.journal.marked('case:cgroup:away');
  assert.match(String(attributes['process.linux.cgroup']), expected(everywhere(), path));
  await assertLine('restarted', everywhere(), container('before'));
});

test('the journal of all cases has no findings', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});

/** Returns the roots of all hierarchies to which a runtime adds a container. */
function everywhere(): string[] {
  const v1 = V1.map((name) => join(CGROUPS, name));
  if (MODE === 'v2') return [UNIFIED];
  return MODE === 'v1' ? v1 : [UNIFIED, ...v1];
}

function container(name: string): string {
  return `/${SLICE}/cri-containerd-${id(name)}.scope`;
}

function id(name: string): string {
  return Buffer.from(name.padEnd(32, '.')).toString('hex');
}

function make(folders: readonly string[], path: string): void {
  for (const folder of folders) mkdirSync(join(folder, path), { recursive: true });
}

/** Runs the no-op in a cgroup and returns what the kernel itself reports. */
async function run(name: string, folders: readonly string[], path: string): Promise<string> {
  const enter = folders.map((folder) => `echo $$ >${join(folder, path, 'cgroup.procs')}`);
  const script = [...enter, 'cat /proc/$$/cgroup', `exec ${program('noop')} case:cgroup:${name}`];
  const shell = spawn('sh', ['-ec', script.join('\n')], { stdio: ['ignore', 'pipe', 'inherit'] });
  let truth = '';
  shell.stdout.on('data', (data) => (truth += data));
  const [code] = await once(shell, 'close');
  assert.equal(code, 0);
  return truth;
}

async function assertLine(name: string, folders: readonly string[], path: string): Promise<void> {
  const truth = await run(name, folders, path);
  const { attributes } = await agent.journal.marked(`case:cgroup:${name}`);
  const line = String(attributes['process.linux.cgroup']);
  assert.match(line, expected(folders, path));
  const unmounted = MODE === 'v1' && line === '0::/';
  assert.ok(unmounted || truth.split('\n').includes(line), `${line} is not in ${truth}`);
}

/** Chooses the line of the unified hierarchy, or else that of memory, or else that of pids. */
function expected(folders: readonly string[], path: string): RegExp {
  const escaped = path.replaceAll('.', '\\.');
  if (folders.includes(UNIFIED) || path === '/') return new RegExp(`^0::${escaped}$`);
  const first = V1.find((name) => folders.includes(join(CGROUPS, name)));
  return new RegExp(`^\\d+:${first}:${escaped}$`);
}
