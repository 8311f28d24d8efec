import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { audited } from '../../support/forensics.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { scrape, urlOf } from '../../support/scrape.ts';
import { until } from '../../support/until.ts';

const PINS = 16;
const TELEMETRY = ['--telemetry-address', '127.0.0.1:0'];

test('a pin that is removed from a running agent is restored, and no exec is lost meanwhile', async (t) => {
  const agent = await startAgent({ args: TELEMETRY });
  t.after(() => agent.close());
  const { shell, record } = await startShell(t, agent);
  const pins = pinsOf(agent);
  equal(pins.length, PINS);
  for (const pin of pins) {
    rmSync(join(agent.pinDir, pin));
    shell.stdin?.write(`${program('noop')} removed:${pin}\n`);
    await until(`the pin ${pin}`, () => existsSync(join(agent.pinDir, pin)));
    const { parent_cause } = await agent.journal.marked(`removed:${pin}`);
    equal(parent_cause, record.id, pin);
  }
  const restored = async () => (await scrape(agent)).get('vcml_hook_pins_restored_total') === PINS;
  await until('the count', restored);
  equal((await scrape(agent)).get('vcml_hook_pinned'), 1);
  await stopAndJudge(agent);
  deepEqual(kernelLosses(agent), []);
  const named = agent.stderr
    .split('\n')
    .filter((line) => line.includes('"hook.pinned_again"'))
    .flatMap((line) => (JSON.parse(line) as { pins: string[] }).pins);
  deepEqual(named, pins);
});

for (const [what, remove] of [
  ['removed', (dir: string) => rmSync(dir, { recursive: true })],
  ['moved away', (dir: string) => renameSync(dir, `${dir}-moved`)],
] as const)
  test(`a folder for pins that is ${what} is made again and stays one agent’s own`, async (t) => {
    const agent = await startAgent();
    t.after(() => agent.close());
    const { shell, record } = await startShell(t, agent);
    process.kill(agent.pid, 'SIGSTOP');
    remove(agent.pinDir);
    process.kill(agent.pid, 'SIGCONT');
    await until('the pins', () => existsSync(agent.pinDir) && pinsOf(agent).length === PINS);
    const { pinDir, journalDir } = agent;
    equal(agent.detach('--journal-dir', journalDir, '--wait-for-hook', '100ms').status, 75);
    rmSync(join(pinDir, 'events'));
    await until('a pin in the new folder', () => existsSync(join(pinDir, 'events')));
    await agent.kill();
    shell.stdin?.write(`${program('noop')} folder:unread\n`);
    const { attributes } = await agent.start();
    equal(attributes['vcml.hook.state'], 'resumed');
    equal((await agent.journal.marked('folder:unread')).parent_cause, record.id);
    await stopAndJudge(agent);
    deepEqual(kernelLosses(agent), []);
    equal(agent.detach('--journal-dir', journalDir).status, 0);
    ok(!existsSync(pinDir));
    if (existsSync(`${pinDir}-moved`)) deepEqual(readdirSync(`${pinDir}-moved`), []);
  });

test('a run that ends before it could see the removal restores the pins for the next run', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const { pid } = agent;
  process.kill(pid, 'SIGSTOP');
  for (const pin of pinsOf(agent)) rmSync(join(agent.pinDir, pin));
  await runProgram('noop', 'removed:stopped');
  process.kill(pid, 'SIGTERM');
  process.kill(pid, 'SIGCONT');
  equal(await agent.stop(), 0, agent.stderr);
  match(agent.stderr, /"event":"hook\.pinned_again"/);
  const { attributes } = await agent.start();
  equal(attributes['vcml.hook.state'], 'resumed');
  await agent.journal.marked('removed:stopped');
  await stopAndJudge(agent);
  deepEqual(kernelLosses(agent), []);
});

test('an agent whose pins cannot be restored records, is not ready, and its next run states the loss', async (t) => {
  const agent = await startAgent({ args: TELEMETRY });
  t.after(() => agent.close());
  const bpffs = dirname(agent.pinDir);
  execFileSync('umount', ['--lazy', bpffs]);
  const ready = async () => await fetch(await urlOf(agent, '/readyz'));
  await until('the refusal', async () => {
    await runProgram('noop', 'unmounted');
    return (await ready()).status === 503;
  });
  match(await (await ready()).text(), /no bpffs is mounted at .*; mount one with: mount -t bpf /);
  equal((await scrape(agent)).get('vcml_hook_pinned'), 0);
  equal((await fetch(await urlOf(agent, '/livez'))).status, 200);
  await runProgram('noop', 'unmounted:recorded');
  await agent.journal.marked('unmounted:recorded');
  execFileSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', bpffs]);
  await until('readiness', async () => (await ready()).status === 200);
  equal(pinsOf(agent).length, PINS);

  execFileSync('umount', ['--lazy', bpffs]);
  await agent.stop();
  match(agent.stderr, /"event":"hook\.unpinned"(.|\n)*"event":"hook\.unpinned"/);
  execFileSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', bpffs]);
  const { attributes } = await agent.start();
  equal(attributes['vcml.hook.state'], 'attached');
  await stopAndJudge(agent);
  equal(kernelLosses(agent).length, 1);
  deepEqual(await foundIn(agent), ['HOOK_REMOVED']);
});

test('a program that was detached while no agent ran is a loss with its time, and makes no wrong link', async (t) => {
  const early = spawnShell(t);
  const agent = await startAgent();
  t.after(() => agent.close());
  const { shell, record } = await startShell(t, agent);
  await detachFromOutside(agent, 'on_exec');
  const within = `echo there; read line; ${program('noop')} detached:NAME; :`;
  const shells = { early, late: shell };
  for (const [name, process] of Object.entries(shells)) {
    process.stdin?.write(`exec sh -c '${within.replace('NAME', name)}'\n`);
    await once(process.stdout, 'data');
  }
  const { attributes } = await agent.start();
  // The counters of programs that are attached again begin at 0.
  equal(attributes['vcml.hook.state'], 'upgraded');
  for (const [name, process] of Object.entries(shells)) {
    process.stdin?.end('\n');
    // Also for the process that began before the hook, whose program then is not its program now.
    equal(
      (await agent.journal.marked(`detached:${name}`)).attributes['vcml.gap.reason'],
      'untracked',
    );
  }

  await detachFromOutside(agent, 'on_fork', 'on_exit');
  await runProgram('links', 'pid-reuse');
  await agent.start();
  const former = await agent.journal.marked('case:pid-reuse:first');
  const latter = await agent.journal.marked('case:pid-reuse:second');
  equal(former.actor.pid, latter.actor.pid);
  equal(latter.attributes['vcml.gap.reason'], 'untracked');

  await stopAndJudge(agent);
  // From here on, the cgroup of a stranger's exec may be unknown, which the judge would find.
  for (const name of ['on_cgroup_mkdir', 'on_cgroup_rmdir']) {
    await detachFromOutside(agent, name);
    await agent.start();
  }
  equal(await agent.stop(), 0, agent.stderr);
  agent.records();
  const losses = kernelLosses(agent);
  equal(losses.length, 4);
  deepEqual(await foundIn(agent), Array(4).fill('HOOK_REMOVED'));
  let before = Number(record.attributes['vcml.hook.id']);
  for (const { attributes } of losses) {
    const since = Number(attributes['vcml.loss.since']);
    ok(since >= before && since <= Number(attributes['vcml.boot_time']), `${since}`);
    before = since;
  }
});

/** A shell that waits for commands, and the record of it. */
async function startShell(t: TestContext, agent: Agent) {
  const shell = spawnShell(t, 'removed:before');
  return { shell, record: await agent.journal.marked('-s removed:before') };
}

function spawnShell(t: TestContext, ...args: readonly string[]) {
  const shell = spawn('sh', ['-s', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill());
  return shell;
}

function pinsOf({ pinDir }: Agent): string[] {
  return readdirSync(pinDir).sort();
}

/** Kills the agent, and removes the links of programs until the kernel has detached them. */
async function detachFromOutside(agent: Agent, ...programs: readonly string[]): Promise<void> {
  await agent.kill();
  const pins = pinsOf(agent).filter((pin) => programs.includes(pin.replace(/_\d+$/, '')));
  equal(pins.length, programs.length);
  for (const pin of pins.map((name) => join(agent.pinDir, name))) {
    const shown = execFileSync('bpftool', ['-j', 'link', 'show', 'pinned', pin]);
    const { id } = JSON.parse(shown.toString()) as { id: number };
    rmSync(pin);
    const show = ['link', 'show', 'id', `${id}`];
    await until('the end of the link', () => spawnSync('bpftool', show).status !== 0);
  }
}

function kernelLosses(agent: Agent): readonly JournalLine[] {
  return agent.records().filter(({ attributes }) => attributes['vcml.loss.stage'] === 'kernel');
}

/** Returns the codes that `vcml audit` finds in the journal. */
async function foundIn({ journalDir }: Agent): Promise<string[]> {
  return (await audited(journalDir)).map(({ code }) => code);
}

async function stopAndJudge(agent: Agent): Promise<void> {
  equal(await agent.stop(), 0, agent.stderr);
  agent.records();
  deepEqual(judge(agent.journal.lines).findings, []);
}
