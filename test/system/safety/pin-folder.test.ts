import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent, runProgram } from '../../support/agent.ts';
import { AGENT_BIN } from '../../support/paths.ts';

const USER = 65534;
const WAIT = { encoding: 'utf8', timeout: 60_000 } as const;
const REMEDY = /mount -t bpf -o mode=0700,nosuid,nodev,noexec bpf \/.*\/open$/m;

/** An agent whose pins are in a bpffs as `mount -t bpf` makes it: every user may write to it. */
function agentInOpenBpffs(t: TestContext): Agent {
  const directory = mkdtempSync(join(tmpdir(), 'vcml-test-'));
  chmodSync(directory, 0o755);
  const bpffs = join(directory, 'open');
  mkdirSync(bpffs);
  execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
  equal(statSync(bpffs).mode & 0o7777, 0o1777);
  const agent = new Agent({ pinDir: join(bpffs, 'vcml-agent') });
  t.after(async () => {
    await agent.close();
    execFileSync('umount', ['--lazy', bpffs]);
    rmSync(directory, { recursive: true });
  });
  return agent;
}

/** Runs a command as an unprivileged user; its exit code. */
function asUser(...command: readonly string[]): number | null {
  const user = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
  return spawnSync('setpriv', [...user, ...command]).status;
}

/** What each command of the agent says of the folder of its pins. */
function refusals(agent: Agent): [code: number | null, message: string][] {
  const commands = [['run', '--print', 'none'], ['detach'], ['detach', '--discard']];
  const folders = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  return commands.map((command) => {
    const { status, stderr } = spawnSync(AGENT_BIN, [...command, ...folders], WAIT);
    return [status, stderr];
  });
}

test('a folder of pins that a user made in advance is refused, and nothing is pinned in it', (t) => {
  const agent = agentInOpenBpffs(t);
  equal(asUser('mkdir', agent.pinDir), 0);
  for (const mode of [0o700, 0o777]) {
    chmodSync(agent.pinDir, mode);
    for (const [code, message] of refusals(agent)) {
      equal(code, 78, message);
      match(message, /vcml-agent belongs to uid 65534, who could take the hook away; remove it/);
      match(message, REMEDY);
    }
  }
  const args = ['status', '--pin-dir', agent.pinDir, '--journal-dir', agent.journalDir];
  const { stdout } = spawnSync(AGENT_BIN, args, WAIT);
  match(stdout, /hook +unknown: .*vcml-agent belongs to uid 65534/);
  deepEqual(readdirSync(agent.pinDir), []);
});

test('a folder of pins that others can write is refused, whoever owns it', (t) => {
  const agent = agentInOpenBpffs(t);
  mkdirSync(agent.pinDir);
  for (const mode of [0o770, 0o703, 0o1777]) {
    chmodSync(agent.pinDir, mode);
    for (const [code, message] of refusals(agent)) {
      equal(code, 78, message);
      match(message, /vcml-agent can be written by others/);
      match(message, REMEDY);
    }
  }
});

test('a folder above the pins that others own, or can write to, is refused', (t) => {
  const agent = agentInOpenBpffs(t);
  const bpffs = dirname(agent.pinDir);
  chmodSync(bpffs, 0o777);
  for (const [code, message] of refusals(agent)) {
    equal(code, 78, message);
    match(message, /open can be written by others/);
    match(message, REMEDY);
  }
  equal(existsSync(agent.pinDir), false);
  chmodSync(bpffs, 0o1777);
  const middle = join(bpffs, 'middle');
  equal(asUser('mkdir', middle), 0);
  const pinDir = join(middle, 'deeper', 'vcml-agent');
  mkdirSync(dirname(pinDir), { mode: 0o700 });
  const args = ['run', '--pin-dir', pinDir, '--journal-dir', agent.journalDir, '--print', 'none'];
  const { status, stderr } = spawnSync(AGENT_BIN, args, WAIT);
  equal(status, 78, stderr);
  match(stderr, /middle belongs to uid 65534/);
});

test('a pin of another user in the folder is refused', (t) => {
  const agent = agentInOpenBpffs(t);
  mkdirSync(agent.pinDir, { mode: 0o700 });
  const pin = join(agent.pinDir, 'causes');
  const shape = 'type array key 4 value 64 entries 1 name causes'.split(' ');
  execFileSync('bpftool', ['map', 'create', pin, ...shape]);
  chownSync(pin, USER, USER);
  for (const [code, message] of refusals(agent)) {
    equal(code, 78, message);
    match(message, /causes belongs to another user; remove it/);
  }
  equal(existsSync(pin), true);
});

test('in a bpffs that everyone can write, nobody takes the hook of a running agent away', async (t) => {
  const agent = agentInOpenBpffs(t);
  await agent.start();
  const { pinDir } = agent;
  const [pin = ''] = readdirSync(pinDir).filter((name) => name.startsWith('on_exec'));
  for (const command of [
    ['rm', '-r', pinDir],
    ['rm', join(pinDir, pin)],
    ['rmdir', pinDir],
    ['mv', pinDir, `${pinDir}.away`],
    ['chmod', '0777', pinDir],
  ])
    notEqual(asUser(...command), 0, command.join(' '));
  await runProgram('noop', 'pins:kept');
  await agent.journal.marked('pins:kept');
  equal(await agent.stop(), 0, agent.stderr);
});
