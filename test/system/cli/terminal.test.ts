import { equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, runProgram, startAgent } from '../../support/agent.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { until } from '../../support/until.ts';

const TIMEOUT_MS = 15_000;
const PATIENCE = { timeoutMs: TIMEOUT_MS };
const CTRL_C = '\u0003';

interface Terminal {
  readonly process: ChildProcess;
  readonly agent: Agent;
  /** what is on the screen so far */
  text(): string;
}

/** `run --on-exit detach` on a terminal of script(1), once it records. */
async function runOnTerminal(t: TestContext): Promise<Terminal> {
  const agent = new Agent({});
  t.after(() => agent.close());
  // Without exec, the same Ctrl-C would end the shell, whose exit code would replace the agent's.
  const command = `exec ${AGENT_BIN} run --journal-dir ${agent.journalDir} --pin-dir ${agent.pinDir} --on-exit detach`;
  const env = { ...process.env, NO_COLOR: undefined, SHELL: '/bin/sh' };
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  const terminal = { process: child, agent, text: () => text };
  await until('the first record', () => text.includes('journal.start'), PATIENCE);
  return terminal;
}

/** Waits until everything that the child wrote has been read as well. */
async function exitCode(child: ChildProcess): Promise<unknown> {
  await once(child, 'close', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return child.exitCode;
}

test('on a terminal, records are coloured lines, and Ctrl-C ends with a summary', async (t) => {
  const { process: script, agent, text } = await runOnTerminal(t);
  await runProgram('noop', 'terminal:shown', '\u001b[2J');
  await until('the record', () => text().includes('terminal:shown'), PATIENCE);
  script.stdin?.write(CTRL_C);
  equal(await exitCode(script), 0);
  const lines = text().split('\r\n');
  const shown = lines.find((line) => line.includes('terminal:shown')) ?? '';
  ok(shown.startsWith('\u001b[2m'), shown);
  match(shown, /noop terminal:shown '\\x1b\[2J' {2}/);
  match(lines.at(-2) ?? '', /^\d+ records, .* in \S+\/journal$/);
  match(lines.at(-3) ?? '', /✓ checkpoint \d+/);
  match(lines.at(-4) ?? '', /journal\.stop: hook detached/);
  ok(!existsSync(agent.pinDir));
});

test('further Ctrl-C during the end change nothing', async (t) => {
  const { process: script, agent, text } = await runOnTerminal(t);
  for (let times = 0; times < 5; times++) {
    script.stdin?.write(CTRL_C);
    await sleep(2);
  }
  // The last signal may meet a process that has finished and has no handlers any more.
  ok([0, 130].includes(Number(await exitCode(script))));
  match(text(), /\d+ records, .* in /);
  ok(!existsSync(agent.pinDir));
});

test('a terminal that closes leaves nothing attached', async (t) => {
  const { process: script, agent } = await runOnTerminal(t);
  script.kill('SIGKILL');
  await until('the end', () => !existsSync(agent.pinDir), PATIENCE);
  const stopOf = () => agent.records().findLast(({ action }) => action === 'journal.stop');
  await until('the last record', () => stopOf() !== undefined, PATIENCE);
  equal(stopOf()?.attributes['vcml.hook.state'], 'detached');
});

test('a signal ends the wait for a hook that another agent holds', async (t) => {
  const first = await startAgent();
  t.after(() => first.close());
  const journal = join(first.directory, 'second');
  const args = ['run', '--pin-dir', first.pinDir, '--journal-dir', journal, '--print', 'none'];
  const second = spawn(AGENT_BIN, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  second.stderr.on('data', (data) => (stderr += data));
  await sleep(1500);
  equal(second.exitCode, null);
  second.kill('SIGTERM');
  equal(await exitCode(second), 75);
  match(stderr, /another agent holds the hook .* node test-node, pid/);
});
