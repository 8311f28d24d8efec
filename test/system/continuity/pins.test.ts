import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { Agent, runProgram, startAgent } from '../../support/agent.ts';
import { AGENT_BIN } from '../../support/paths.ts';

test('a second agent waits, then ends with 75 and the name of the holder’s node', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const second = runAgent(agent, '--wait-for-hook', '300ms', '--node-name', 'second');
  assert.equal(second.status, 75);
  assert.match(second.stderr, /test-node/);
});

test('detach refuses while an agent is running', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const { status, output } = agent.detach(
    '--journal-dir',
    agent.journalDir,
    '--wait-for-hook',
    '100ms',
  );
  assert.equal(status, 75, output);
});

test('detach writes unread events to the journal before it removes everything', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await agent.kill();
  await runProgram('noop', 'continuity:unread');
  const refused = agent.detach('--journal-dir', join(agent.directory, 'nowhere'));
  assert.equal(refused.status, 78);
  assert.match(refused.output, /unread/);
  const { status, output } = agent.detach('--journal-dir', agent.journalDir);
  assert.equal(status, 0, output);
  await agent.journal.marked('continuity:unread');
  const stop = agent.records().findLast(({ action }) => action === 'journal.stop');
  assert.equal(stop?.attributes['vcml.hook.state'], 'detached');
  assert.ok(!existsSync(agent.pinDir));
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});

test('incomplete pins are replaced', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  for (const delay of [60, 100, 140, 180, 220, 260]) {
    const child = startBare(agent);
    await sleep(delay);
    child.kill('SIGKILL');
    await sleep(50);
  }
  await agent.start();
  await runProgram('noop', 'continuity:half');
  await agent.journal.marked('continuity:half');
  await agent.stop();
  assert.deepEqual(judge(agent.journal.read() && agent.journal.lines).findings, []);
});

for (const pin of ['control_page', 'scratches', 'events', 'on_fork_1', 'on_exit_1'])
  test(`a start that is killed when ${pin} is pinned does not prevent a later one`, async (t) => {
    const agent = new Agent({});
    t.after(() => agent.close());
    const child = startBare(agent);
    const killed = once(child, 'exit');
    while (!existsSync(join(agent.pinDir, pin)) && child.exitCode === null) await immediate();
    child.kill('SIGKILL');
    await killed;
    assert.ok(existsSync(join(agent.pinDir, pin)));
    await agent.start();
    await runProgram('noop', 'continuity:killed');
    await agent.journal.marked('continuity:killed');
    assert.equal(await agent.stop(), 0, agent.stderr);
    agent.records();
    assert.deepEqual(judge(agent.journal.lines).findings, []);
  });

test('a foreign pin with a name of the agent is refused, and one with another name is left alone', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  mkdirSync(agent.pinDir);
  const foreign = join(agent.pinDir, 'control_page');
  const other = join(agent.pinDir, 'other');
  createMap(foreign, 'strange');
  createMap(other, 'other');
  const refused = runAgent(agent);
  assert.equal(refused.status, 78);
  assert.match(refused.stderr, /not a map of this agent/);
  rmSync(foreign);
  await agent.start();
  await agent.stop();
  assert.equal(agent.detach('--discard').status, 0);
  assert.deepEqual(readdirSync(agent.pinDir), ['other']);
});

test('a foreign pin is refused under every name of the agent, and nothing is removed', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  mkdirSync(agent.pinDir);
  for (const name of ['causes', 'events', 'on_exec_7']) {
    const foreign = join(agent.pinDir, name);
    createMap(foreign, 'strange');
    const refused = runAgent(agent);
    assert.equal(refused.status, 78, refused.stderr);
    assert.match(refused.stderr, /not a (map|program) of this agent; remove it/);
    assert.equal(agent.detach('--journal-dir', agent.journalDir).status, 78);
    const discarded = agent.detach('--discard');
    assert.equal(discarded.status, 78, discarded.output);
    assert.deepEqual(readdirSync(agent.pinDir), [name]);
    rmSync(foreign);
  }
});

test('without a bpffs the agent says how to mount one, and ends with 77', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  const pinDir = join(agent.directory, 'plain', 'pins');
  mkdirSync(join(agent.directory, 'plain'));
  const { status, stderr } = runAgent(agent, '--pin-dir', pinDir);
  assert.equal(status, 77);
  assert.match(stderr, /mount -t bpf -o mode=0700,nosuid,nodev,noexec bpf /);
});

test('the default bpffs is mounted if it is missing, and unmounted with the hook', () => {
  const script = `
    umount -a -t bpf 2>/dev/null || true
    "$0" run --journal-dir "$(mktemp -d)" --print none --on-exit detach & pid=$!
    for i in $(seq 100); do [ -e /sys/fs/bpf/vcml-agent/on_fork_1 ] && break; sleep 0.1; done
    [ -e /sys/fs/bpf/vcml-agent/on_fork_1 ] || exit 3
    sleep 0.3; kill $pid; wait $pid || exit 4
    ! grep -q ' /sys/fs/bpf bpf' /proc/self/mounts`;
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, AGENT_BIN], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

test('an agent that may not mount a bpffs says who can, and ends with 77', () => {
  const script = `
    umount -a -t bpf 2>/dev/null || true
    "$0" run --journal-dir "$(mktemp -d)" --print none --mount-bpffs false
    ended=$?
    ! grep -q ' /sys/fs/bpf bpf' /proc/self/mounts && exit $ended`;
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, AGENT_BIN], {
    encoding: 'utf8',
  });
  assert.equal(status, 77, stderr);
  assert.match(stderr, /as root on the host, mount one with: mount -t bpf .* bpf \/sys\/fs\/bpf/);
});

test('a torn last line is cut, and a damaged state.json does no harm', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await runProgram('noop', 'continuity:before');
  await agent.journal.marked('continuity:before');
  await agent.kill();
  const [segment] = readdirSync(agent.journalDir).filter((name) => name.endsWith('.jsonl'));
  const file = join(agent.journalDir, segment ?? '');
  const lines = readFileSync(file, 'utf8').split('\n');
  appendFileSync(file, lines[0]?.slice(0, 40) ?? '');
  writeFileSync(join(agent.journalDir, 'state.json'), '{"nextSeq":[');
  await agent.start();
  await runProgram('noop', 'continuity:after');
  await agent.journal.marked('continuity:after');
  await agent.stop();
  assert.match(agent.stderr, /"event":"journal\.torn_line_cut"/);
  assert.deepEqual(judge(readFileSync(file, 'utf8').trimEnd().split('\n')).findings, []);
});

/** Pins a foreign map. */
function createMap(path: string, name: string): void {
  const shape = 'type array key 4 value 64 entries 1'.split(' ');
  execFileSync('bpftool', ['map', 'create', path, ...shape, 'name', name]);
}

/** Runs an agent that is expected to end by itself. */
function runAgent(agent: Agent, ...args: string[]) {
  const own = [
    'run',
    '--journal-dir',
    join(agent.directory, 'other-journal'),
    '--pin-dir',
    agent.pinDir,
  ];
  return spawnSync(AGENT_BIN, [...own, '--print', 'none', ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
}

function startBare(agent: Agent): ChildProcess {
  const args = ['run', '--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  return spawn(AGENT_BIN, [...args, '--print', 'none', '--node-name', 'test-node'], {
    stdio: 'ignore',
  });
}
