import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Hook } from '../../../agent/source/hook.ts';
import { environmentAsked } from '../../../agent/source/layout.ts';
import type { ExecEvent } from '../../../record/types.ts';
import { program } from '../../support/agent.ts';
import { mountBpffs } from '../../support/bpffs.ts';
import { drainExecs, openTestHook } from '../../support/hook.ts';
import { until } from '../../support/until.ts';

const NOOP = program('noop');
const NAMES = ['REQUEST'];
/** What is kept of an environment at each of its ends (bpf/events.h). */
const PART = 2048;
/** a shell that began before the hook was armed, and reads commands */
let shell: ChildProcess;
let hook: Hook;
let bpffs: string;

/** A cgroup in each of the hierarchies that events name (bpf/cgroups.h). */
const CGROUPS = readFileSync('/proc/self/mountinfo', 'utf8')
  .split('\n')
  .filter((line) => / - cgroup2 | - cgroup .*\bpids\b/.test(line))
  .map((line) => join(line.split(' ')[4] ?? '', `vcml-test-${process.pid}`));

before(async () => {
  shell = spawn('sh', [], { stdio: ['pipe', 'ignore', 'inherit'], env: { REQUEST: 'shell' } });
  await once(shell, 'spawn');
  for (const cgroup of CGROUPS) mkdirSync(cgroup);
  bpffs = mkdtempSync(join(tmpdir(), 'vcml-test-'));
  mountBpffs(bpffs);
  hook = await openTestHook(bpffs, undefined, { ringBytes: 1 << 20 });
  hook.arm();
  // The time of arming is a little in the future.
  await new Promise((resolve) => setTimeout(resolve, 10));
});

after(async () => {
  shell.stdin?.end();
  await once(shell, 'exit');
  hook.detach();
  execFileSync('umount', [bpffs]);
  for (const folder of [bpffs, ...CGROUPS]) rmdirSync(folder);
});

/** Runs a command with this environment, and returns the execs that it caused, in their order. */
function execsOf(command: readonly string[], env: NodeJS.ProcessEnv): ExecEvent[] {
  drainAll();
  const [file = '', ...args] = command;
  const { pid: own, status, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return drainAll().filter(({ pid, ppid }) => pid === own || ppid === own);
}

function drainAll(): ExecEvent[] {
  const execs: ExecEvent[] = [];
  for (let some = drainExecs(hook, NAMES); some.length > 0; some = drainExecs(hook, NAMES)) {
    execs.push(...some);
    hook.commit(new Float64Array(hook.cpuCount).fill(1), 0);
  }
  return execs;
}

function environmentOf(execs: readonly ExecEvent[], name: string) {
  const found = execs.filter(({ invocation }) => invocation.comm === name);
  assert.equal(found.length, 1, `${found.length} execs of ${name}`);
  return found[0]?.environment;
}

/** The environment of an exec in a mount namespace of its own, which unshare passes on. */
function inNamespace(env: NodeJS.ProcessEnv) {
  return environmentOf(execsOf(['unshare', '-m', NOOP], env), 'noop');
}

const FOUND = { variables: [{ name: 'REQUEST', value: '7' }], isCut: false };

test('an exec in another mount namespace has the variable', () => {
  assert.deepEqual(inNamespace({ A: 'b', REQUEST: '7', Z: '' }), FOUND);
  assert.deepEqual(inNamespace({ A: 'b' }), { variables: [], isCut: false });
  assert.deepEqual(inNamespace({}), { variables: [], isCut: false });
});

test('an exec in another cgroup has it', () => {
  assert.ok(CGROUPS.length > 0);
  for (const cgroup of CGROUPS) {
    const script = `echo $$ >${cgroup}/cgroup.procs; exec ${NOOP}`;
    const execs = execsOf(['sh', '-c', script], { REQUEST: '7' });
    assert.deepEqual(environmentOf(execs, 'noop'), FOUND, cgroup);
    // The shell ran where this process does, as any exec of the host.
    assert.equal(environmentOf(execs, 'sh'), undefined);
  }
});

test('an exec where its cause ran has no environment, whatever its cause is', async () => {
  const inside = execsOf(['unshare', '-m', '/bin/sh', '-c', `${NOOP}; :`], {
    REQUEST: '7',
  });
  assert.deepEqual(environmentOf(inside, 'sh'), FOUND);
  assert.equal(environmentOf(inside, 'noop'), undefined);
  assert.equal(environmentOf(inside, 'unshare'), undefined);
  shell.stdin?.write(`${NOOP} of a shell from before the hook\n`);
  const child = await until('its exec', () => drainAll().find(({ ppid }) => ppid === shell.pid));
  assert.equal(child.cause.kind, 'ancestor');
  assert.equal(child.environment, undefined);
});

test('a long environment is searched at its begin and at its end', () => {
  const some = (name: string, bytes: number) => ({ [name]: 'x'.repeat(bytes - name.length - 2) });
  const cut = { ...FOUND, isCut: true };
  const none = { variables: [], isCut: true };
  const request = { REQUEST: '7' };
  // All of it is there up to 4 KiB, also at the seam.
  for (const before of [PART - 11, PART - 10, PART - 5, PART - 1, PART])
    assert.deepEqual(
      inNamespace({ ...some('A', before), ...request, ...some('Z', 2 * PART - 10 - before) }),
      FOUND,
      `${before}`,
    );
  assert.deepEqual(inNamespace({ ...request, ...some('Z', 3 * PART) }), cut);
  assert.deepEqual(inNamespace({ ...some('A', 3 * PART), ...request }), cut);
  assert.deepEqual(inNamespace({ ...some('A', PART), ...request, ...some('Z', PART + 1) }), none);
  assert.deepEqual(
    inNamespace({ ...some('A', 2 * PART), ...request, ...some('Z', 2 * PART) }),
    none,
  );
  // It is cut within the variable, or just before or behind it.
  for (const before of [PART - 10, PART - 9, PART - 1]) {
    const long = { ...some('A', before), ...request, ...some('Z', 2 * PART) };
    assert.deepEqual(inNamespace(long), before === PART - 10 ? cut : none, `${before}`);
  }
  // Without a seam the text would be a variable.
  const faked = { A: `${'x'.repeat(2 * PART)}REQUEST=faked`, ...some('Z', PART - 14) };
  assert.deepEqual(inNamespace(faked), none);
  assert.deepEqual(inNamespace({ ...some('A', 70_000), ...request }), cut);
});

test('an environment has what the descendant was given, not what its ancestors were', () => {
  const command = ['env', '-i', 'A=b', 'unshare', '-m', NOOP];
  const emptied = execsOf(command, { REQUEST: '7' });
  assert.deepEqual(environmentOf(emptied, 'noop'), { variables: [], isCut: false });
  const changed = ['unshare', '-m', '/bin/sh', '-c', `REQUEST=8 exec ${NOOP}`];
  const execs = execsOf(changed, { REQUEST: '7' });
  assert.deepEqual(environmentOf(execs, 'sh'), FOUND);
  assert.equal(environmentOf(execs, 'noop'), undefined);
});

test('above half of the ring an exec says that its environment was not read', () => {
  drainAll();
  spawnSync(program('load'), ['storm', '750', '8000']);
  spawnSync('unshare', ['-m', NOOP], { env: { REQUEST: '7' } });
  const { usedBytes, ringBytes } = hook.statistics();
  assert.ok(usedBytes > ringBytes / 2 && usedBytes < ringBytes, `${usedBytes} of ${ringBytes}`);
  const execs = drainAll().filter(({ cause }) => cause.kind === 'record');
  const noops = execs.filter(({ invocation }) => invocation.executable.path === NOOP);
  assert.deepEqual(noops.at(-1)?.environment, { variables: [], isCut: true });
});

test('no exec has an environment if the reader does not ask for it', async () => {
  hook.close();
  hook = await openTestHook(bpffs, undefined, { environment: environmentAsked.environmentNone });
  assert.equal(hook.state, 'resumed');
  assert.equal(inNamespace({ REQUEST: '7' }), undefined);
});
