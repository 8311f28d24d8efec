import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import type { Finding } from '../../check/finding.ts';
import { JournalReader } from '../../check/read.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { audited } from '../../support/forensics.ts';
import { ROOT } from '../../support/paths.ts';

/** More on request: KILL_ROUNDS=100. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 12);
const NO_CGROUP = 'no process.linux.cgroup';
const SMALL = ['--segment-max-bytes', '64KiB', '--journal-max-bytes', '256KiB'];

test('after kill -9 while segments are closed, compressed and deleted, each number exists or is recorded as deleted', async (t) => {
  const agent = await startAgent({ args: SMALL });
  t.after(() => agent.close());
  await agent.kill();
  // On a busy machine agents are killed before they get far.
  const isFirstThere = () => readdirSync(agent.journalDir).some((name) => /^0{19}1\./.test(name));
  for (let round = 0; round < ROUNDS || (isFirstThere() && round < 4 * ROUNDS); round++) {
    const storm = spawn(program('storm'), ['2', '1.2', program('noop'), 'retention'], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => storm.once('close', resolve));
    // Every other agent is killed during its start.
    await runAndKill(agent, round % 2 === 0);
    if (round % 3 === 0) rmSync(join(agent.journalDir, 'state.json'), { force: true });
    if (round % 6 === 0) rmSync(join(agent.journalDir, 'checkpoint.json'), { force: true });
    await ended;
  }
  // A last run with room for everything records the last deletions before its next record.
  await agent.start('--journal-max-bytes', '1GiB');
  while (existsSync(join(agent.journalDir, 'deletions.json'))) await runProgram('noop', 'reveal');
  assert.equal(await agent.stop(), 0, agent.stderr);

  // Reads the journal from its present beginning: most of what the test followed is deleted.
  const lines = [...new JournalReader(agent.journalDir).lines()];
  const findings = judge(lines).findings.filter((finding) => !isOfStranger(finding, lines));
  assert.deepEqual(findings, []);
  const audit = await audited(agent.journalDir);
  assert.deepEqual(
    audit.filter(({ severity }) => severity !== 'NOTE'),
    [],
  );
  const { first, deleted } = numbersOf(lines);
  assert.ok(deleted.size > 0, 'nothing was deleted');
  for (const [cpu, base] of first)
    assert.equal(lastTold(deleted.get(cpu) ?? []), base - 1, `cpu ${cpu}`);
});

/** Whether the cgroup of another program's exec is unknown: it can lie outside of what is mounted here. */
function isOfStranger({ line, message }: Finding, lines: readonly string[]): boolean {
  return message === NO_CGROUP && !lines[line - 1]?.includes(`"object":"${ROOT}/build/programs/`);
}

/**
 * This does not use Agent.start(), because the beginning of the run may be deleted before the test
 * reads it.
 */
async function runAndKill(
  { bin, journalDir, pinDir }: Agent,
  whileStarting: boolean,
): Promise<void> {
  const folders = ['--journal-dir', journalDir, '--pin-dir', pinDir];
  const args = ['run', ...folders, '--node-name', 'test-node', '--print', 'none', ...SMALL];
  const child = spawn(bin, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  if (!whileStarting) await once(child.stderr, 'data'); // that it records
  await sleep(Math.random() * (whileStarting ? 500 : 1000));
  assert.equal(child.exitCode, null, 'the agent ended by itself');
  child.kill('SIGKILL');
  await exited;
}

/** For each CPU, the first existing number and the ranges that are recorded as deleted. */
function numbersOf(lines: readonly string[]) {
  const first = new Map<number, number>();
  const deleted = new Map<number, [number, number][]>();
  for (const line of lines) {
    const { attributes: of } = JSON.parse(line);
    const [cpu, from] = [
      of['vcml.cpu'] ?? of['vcml.loss.cpu'],
      of['vcml.seq'] ?? of['vcml.loss.first_seq'],
    ];
    if (cpu === undefined) continue;
    if (of['vcml.loss.stage'] === 'retention')
      deleted.set(cpu, [...(deleted.get(cpu) ?? []), [from, of['vcml.loss.last_seq']]]);
    else if (!first.has(cpu)) first.set(cpu, from);
  }
  return { first, deleted };
}

/** The last number of ranges that begin at 1, have no gap and do not overlap. */
function lastTold(runs: readonly [number, number][]): number {
  assert.equal(new Set(runs.map(String)).size, runs.length, `twice: ${runs.join(' ')}`);
  let last = 0;
  for (const [from, to] of runs.toSorted(([a], [b]) => a - b)) {
    assert.ok(from <= last + 1, `${last + 1} is nowhere: ${runs.join(' ')}`);
    last = Math.max(last, to);
  }
  return last;
}
