import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { judge } from '../../check/check.ts';
import { vcml } from '../../support/forensics.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { readLinesSync } from '../../support/journal/read-lines.ts';
import { ROOT } from '../../support/paths.ts';
import { kernelOf, machine, untilPowerOff } from '../boot.ts';
import { authorityOf, chainOf, type Execs, entryIn } from './chains.ts';
import { copyFromDisk, makeDisk } from './guest.ts';
import { ROWS } from './rows.ts';

/** It keeps the console, and in out/ the journal and what was printed. */
const FOLDER = join(ROOT, 'build/guests/systemd');
const JOURNAL = join(FOLDER, 'out/journal');

/**
 * Boots a host with systemd, which plays what starts programs there, and compares the journal with what
 * it did.
 */
export async function playHost(t: TestContext): Promise<void> {
  const disk = makeDisk(FOLDER);
  const console = await boot(disk, t.signal);
  copyFromDisk(disk, '/out', FOLDER);
  const lines = readLinesSync(JOURNAL).map(({ line }) => line);
  const execs = execsIn(lines);
  ok(execs.size > 0, `nothing is recorded:\n${console.slice(-4000)}`);
  await t.test('neither auditor finds anything', () => audit(lines));
  for (const kind of Object.keys(ROWS))
    await t.test(`entries of the kind ${kind} are what the guest did`, () => compare(kind, execs));
  await t.test('chains have an authority, or begin before the hook', () => count(t, execs));
}

async function boot(disk: string, signal: AbortSignal): Promise<string> {
  // cron's minute begins soon after cron.
  const clock = new Date();
  clock.setUTCSeconds(45);
  const devices = [
    '-rtc',
    `base=${clock.toISOString().slice(0, 19)},clock=vm`,
    '-drive',
    `file=${disk},format=raw,if=none,id=disk`,
    '-device',
    'nvme,serial=disk,drive=disk',
    // Its time follows the instructions, except while it waits, perhaps for its disk.
    '-icount',
    'shift=0',
  ];
  const commandLine = machine(kernelOf('6.12'), { root: '/dev/nvme0n1 rw' }, devices);
  return untilPowerOff(commandLine, join(FOLDER, 'console.log'), signal);
}

function execsIn(lines: readonly string[]): Execs {
  const records = lines.map((line): JournalLine => JSON.parse(line));
  const execs = records.filter(({ action }) => action === 'exec');
  return new Map(execs.map((exec) => [exec.id, exec]));
}

async function audit(lines: readonly string[]): Promise<void> {
  deepEqual(judge(lines, { allowRetention: false }).findings, []);
  const { code, stdout } = await vcml('audit', JOURNAL);
  equal(code, 0, stdout);
}

function compare(kind: string, execs: Execs): void {
  let found = 0;
  for (const exec of execs.values()) {
    const [word, number = '', session = ''] = markerOf(exec);
    if (word !== kind) continue;
    found += 1;
    deepEqual(
      entryIn(chainOf(exec, execs)),
      ROWS[kind]?.entry(number, session),
      `number ${number}`,
    );
  }
  const count = ROWS[kind]?.count ?? 0;
  // cron may have its minute twice.
  const isWhole = kind.startsWith('cron') ? found >= count : found === count;
  ok(isWhole, `${found}, not ${count}:\n${readFileSync(join(FOLDER, 'out/play.log'), 'utf8')}`);
}

/** Returns the words of the marker in the arguments of the exec that it marks. */
function markerOf({ object, attributes }: JournalLine): string[] {
  const args = attributes['process.command_args'] as string[];
  if (object === '/usr/sbin/sshd') return [args.includes('-t') ? 'sshd-test' : 'sshd'];
  const isMarked = object === '/usr/bin/true' || args[1] === 'true';
  return isMarked ? (args.at(-1) ?? '').split(':').slice(1) : [];
}

/** The units that run since before the hook; the second is the agent's own. */
const OLD = ['old.service', 'vcml-agent.service'];

function count(t: TestContext, execs: Execs): void {
  const bare: JournalLine[] = [];
  for (const exec of execs.values()) {
    const chain = chainOf(exec, execs);
    equal(chain.at(-1)?.attributes['vcml.gap.reason'], 'predates_hook', exec.id);
    if (!chain.some((record) => 'type' in authorityOf(record))) bare.push(exec);
  }
  t.diagnostic(`${execs.size} chains, ${bare.length} of them without an authority`);
  const units = new Set(bare.map(({ attributes }) => attributes['vcml.unit']));
  deepEqual([...units].sort(), OLD);
}
