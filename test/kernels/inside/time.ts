import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { type Agent, program, startAgent } from '../../support/agent.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

const DAY = 86_400;
/** The seconds until the alarm, which must fire after the guest of a busy host is asleep. */
const ALARM = 8;
/** The tolerance in seconds: less than a leap second, and more than reading the clocks takes. */
const NEAR = 0.5;

let agent: Agent;
/** The process that lives through all cases and is the parent of what is recorded. */
let shell: ChildProcess;
let shellId: string;
const written = new Map<string, string>();

before(async () => {
  agent = await startAgent();
  shell = spawn('sh', ['-s', 'case:time:shell'], { stdio: ['pipe', 'inherit', 'inherit'] });
  shellId = (await agent.journal.marked('-s case:time:shell')).id;
});
after(async () => {
  shell?.kill();
  await agent?.close();
});

test('a timestamp follows the wall clock', async () => {
  await assertFollows('unmoved', lead());
});

test('a timestamp follows the wall clock when it is set a day forward', async () => {
  await assertFollows('forward', step(DAY));
});

test('a timestamp follows the wall clock when it is set two days back', async () => {
  await assertFollows('back', step(-2 * DAY));
});

test('a timestamp follows the wall clock when the kernel inserts a leap second', async () => {
  const toMidnight = DAY - ((Date.now() / 1000) % DAY);
  const before = step(toMidnight - 5);
  execFileSync('leap');
  await assertFollows('before-leap', before);
  while (Math.abs(lead() - before) < NEAR) await sleep(100);
  await assertFollows('after-leap', before - 1);
});

test('unread records have the new time when the wall clock is set while no agent is running', async () => {
  await agent.kill();
  run('away');
  const now = step(DAY);
  await agent.start();
  await assertRecord('away', now);
  await assertFollows('restarted', now);
});

// The clock of emulated arm64 stops in suspend, unlike a real one.
if (process.arch === 'x64') {
  test('both clocks continue while the machine is suspended', async () => {
    const before = lead();
    const asleep = suspend();
    assert.ok(asleep > 2 * NEAR, `asleep for ${asleep} s`);
    await assertFollows('resumed', before);
  });

  test('unread records have the new time when the wall clock is set and the machine is suspended', async () => {
    process.kill(agent.pid, 'SIGSTOP');
    run('asleep');
    const before = step(-DAY);
    suspend();
    process.kill(agent.pid, 'SIGCONT');
    await assertRecord('asleep', before);
    await assertFollows('woken', before);
  });
}

test('all records are in the order of the boot clock, and none has changed', async () => {
  await agent.stop();
  const execs = agent.records().filter(({ action }) => action === 'exec');
  const times = execs.map(bootTime);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  for (const [name, id] of written)
    assert.equal((await agent.journal.marked(`case:time:${name}`)).id, id);
});

test('the journal of all cases has no findings, and nothing is lost', () => {
  const { findings, summary } = judge(agent.journal.lines);
  assert.deepEqual([findings, summary.losses], [[], {}]);
});

/** Returns the lead of the wall clock over the boot clock in seconds. */
function lead(): number {
  for (;;) {
    const [begin, wall, end] = [uptime(), Date.now() / 1000, uptime()];
    if (end - begin < NEAR / 5) return wall - end;
  }
}

/** Returns the boot clock in seconds. */
function uptime(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
}

/** Sets the wall clock and returns its new lead. */
function step(seconds: number): number {
  const before = lead();
  execFileSync('date', ['-s', `@${Math.round(Date.now() / 1000 + seconds)}`]);
  const now = lead();
  assert.ok(Math.abs(now - before - seconds) < 5, `set by ${now - before} s`);
  return now;
}

/**
 * Suspends the machine until its real-time clock wakes it, and returns the duration in seconds. The
 * boot clock continues meanwhile, and the monotonic one does not.
 */
function suspend(): number {
  const before = { boot: uptime(), awake: performance.now() / 1000 };
  writeFileSync('/sys/class/rtc/rtc0/wakealarm', `+${ALARM}`);
  writeFileSync('/sys/power/state', 'mem');
  return uptime() - before.boot - (performance.now() / 1000 - before.awake);
}

function run(name: string): void {
  shell.stdin?.write(`${program('noop')} case:time:${name}\n`);
}

/** Asserts that a new exec has the time of the wall clock, with this lead. */
async function assertFollows(name: string, lead: number): Promise<void> {
  const from = uptime();
  run(name);
  const at = bootTime(await assertRecord(name, lead));
  assert.ok(from - NEAR < at && at < uptime() + NEAR, `${at} s since boot, not after ${from} s`);
}

async function assertRecord(name: string, lead: number): Promise<JournalLine> {
  const record = await agent.journal.marked(`case:time:${name}`);
  written.set(name, record.id);
  assert.equal(record.parent_cause, shellId);
  const off = record.timestamp / 1e9 - bootTime(record) - lead;
  assert.ok(Math.abs(off) < NEAR, `${name}: ${off} s off the wall clock`);
  return record;
}

/** Returns a time in seconds. */
function bootTime({ attributes }: JournalLine): number {
  return Number(attributes['vcml.boot_time']) / 1e9;
}
