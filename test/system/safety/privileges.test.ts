import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../check/check.ts';
import { Agent, program, runProgram } from '../../support/agent.ts';
import { AGENT_BIN } from '../../support/paths.ts';

const [major = 0, minor = 0] = release().split('.').map(Number);
/** Before 5.11 BPF maps count as locked memory. */
const LOCKS_MEMORY = major < 5 || (major === 5 && minor < 11);

/** The capabilities that an agent needs to record, as in docs/privileges.md. */
const MINIMUM: readonly string[] = ['bpf', 'perfmon', ...(LOCKS_MEMORY ? ['sys_resource'] : [])];
const BITS: Readonly<Record<string, bigint>> = {
  sys_ptrace: 1n << 19n,
  sys_resource: 1n << 24n,
  perfmon: 1n << 38n,
  bpf: 1n << 39n,
};

/** A command line that runs another one as root with only these capabilities. */
function restricted(capabilities: readonly string[], command: readonly string[]): string[] {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  return ['setpriv', `--bounding-set=${set}`, '--inh-caps=-all', ...command];
}

/** An agent with only these capabilities. */
function restrictedAgent(...capabilities: readonly string[]): Agent {
  const agent = new Agent({});
  const wrapper = join(agent.directory, 'restricted');
  const words = restricted(capabilities, [AGENT_BIN]).map((word) => `'${word}'`);
  writeFileSync(wrapper, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  agent.bin = wrapper;
  return agent;
}

/**
 * An agent with only these capabilities, as process 1 of its own pid namespace. unshare ignores
 * SIGTERM, so that its child gets it here.
 */
function unsharedAgent(...capabilities: readonly string[]): Agent {
  const agent = restrictedAgent(...capabilities);
  const wrapper = join(agent.directory, 'unshared');
  const script = `#!/bin/sh
setpriv --pdeathsig=KILL unshare --pid --fork --kill-child --mount-proc '${agent.bin}' "$@" &
own=$!
trap 'kill $(cat /proc/$own/task/$own/children)' TERM
wait $own; code=$?
while kill -0 $own 2>/dev/null; do wait $own; code=$?; done
exit $code
`;
  writeFileSync(wrapper, script, { mode: 0o755 });
  agent.bin = wrapper;
  return agent;
}

/** Runs an agent that is expected to end by itself. */
function tried(agent: Agent, script = 'exec "$0" "$@"') {
  const where = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  const command = [agent.bin, 'run', ...where, '--print', 'none'];
  return spawnSync('sh', ['-c', script, ...command], { encoding: 'utf8', timeout: 120_000 });
}

function named(capabilities: readonly string[]): string {
  return capabilities.map((name) => `CAP_${name.toUpperCase()}`).join(' and ');
}

function effective(pid: number): bigint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`);
}

/**
 * Starts the agent, which records what another user executes, and ends without leaving anything.
 */
async function recordsAndGoes(agent: Agent, capabilities: readonly string[]): Promise<void> {
  await agent.start();
  const expected = capabilities.reduce((sum, name) => sum | (BITS[name] ?? 0n), 0n);
  assert.equal(effective(agent.pid), expected);
  const other = ['--reuid=65534', '--regid=65534', '--clear-groups', program('noop')];
  spawnSync('setpriv', [...other, 'privileges:other']);
  const { actor } = await agent.journal.marked('privileges:other');
  assert.equal(actor.uid, 65534);
  await resumesAndGoes(agent);
}

/** Stops the agent; the next run resumes what was left, and then detaches it. */
async function resumesAndGoes(agent: Agent): Promise<void> {
  assert.equal(await agent.stop(), 0, agent.stderr);
  const again = await agent.start('--on-exit', 'detach');
  assert.equal(again.attributes['vcml.hook.state'], 'resumed');
  await runProgram('noop', 'privileges:resumed');
  await agent.journal.marked('privileges:resumed');
  assert.equal(await agent.stop(), 0, agent.stderr);
  assert.ok(!existsSync(agent.pinDir));
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
}

/** What a process's record says about its parent, which is this test. */
function gapsOf(agent: Agent): Readonly<Record<string, unknown>>[] {
  const { pid } = process;
  return agent
    .records()
    .map(({ attributes }) => attributes)
    .filter((attributes) => attributes['vcml.gap.ancestor.pid'] === pid);
}

test(`${named(MINIMUM)}: it attaches, records, resumes and detaches`, async (t) => {
  const agent = restrictedAgent(...MINIMUM);
  t.after(() => agent.close());
  await recordsAndGoes(agent, MINIMUM);
  const [gap] = gapsOf(agent);
  assert.ok(gap?.['vcml.gap.ancestor.comm']);
  // This test's process has capabilities that the agent does not have.
  assert.equal(gap['vcml.gap.ancestor.executable.path'], undefined);
  assert.match(agent.stderr, /CAP_SYS_PTRACE/);
});

test('with CAP_SYS_PTRACE, gaps name the executables of processes that predate the hook', async (t) => {
  const agent = restrictedAgent(...MINIMUM, 'sys_ptrace');
  t.after(() => agent.close());
  await recordsAndGoes(agent, [...MINIMUM, 'sys_ptrace']);
  const [gap] = gapsOf(agent);
  assert.equal(gap?.['vcml.gap.ancestor.executable.path'], process.execPath);
  assert.doesNotMatch(agent.stderr, /CAP_SYS_PTRACE/);
});

test('leastPrivilege: outside of the host’s pid namespace it records and links everything, and names no ancestor', async (t) => {
  const agent = unsharedAgent(...MINIMUM);
  t.after(() => agent.close());
  await agent.start();
  assert.match(agent.stderr, /other processes are not visible; gaps do not name them/);
  spawnSync('sh', ['-c', '"$0" privileges:unshared; :', program('noop')]);
  const record = await agent.journal.marked('privileges:unshared');
  const cause = agent.records().find(({ id }) => id === record.parent_cause);
  assert.equal(cause?.attributes['process.command'], 'sh');
  // Pids are the host's, although the agent sees none of them.
  assert.equal(record.actor.ppid, cause.actor.pid);
  assert.equal(cause.attributes['vcml.gap.ancestor.pid'], process.pid);
  for (const { action, attributes } of agent.records())
    for (const name of ['comm', 'executable.path'])
      assert.equal(attributes[`vcml.gap.ancestor.${name}`], undefined, `${name} of ${action}`);
  await resumesAndGoes(agent);
});

for (const missing of [['bpf'], ['perfmon'], ['bpf', 'perfmon']])
  test(`without ${named(missing)} the agent names exactly that and ends with 77`, (t) => {
    const agent = restrictedAgent(...MINIMUM.filter((name) => !missing.includes(name)));
    t.after(() => agent.close());
    const { status, stderr } = tried(agent);
    const message = `not permitted to load BPF programs: ${named(missing)} missing; run as root with these capabilities`;
    assert.deepEqual([status, stderr], [77, `vcml-agent: ${message}\n`]);
    assert.ok(!existsSync(agent.pinDir));
    assert.ok(!existsSync(agent.journalDir));
  });

test('without CAP_SYS_RESOURCE, and with a low limit of locked memory, the agent names both', (t) => {
  if (!LOCKS_MEMORY) return t.skip('from kernel 5.11 on BPF maps do not count as locked memory');
  const agent = restrictedAgent('bpf', 'perfmon');
  t.after(() => agent.close());
  const { status, stderr } = tried(agent, 'ulimit -l 64 && exec "$0" "$@"');
  assert.equal(status, 77, stderr);
  assert.match(stderr, /: CAP_SYS_RESOURCE missing; .*or an unlimited ulimit -l/);
  assert.ok(!existsSync(agent.pinDir));
});
