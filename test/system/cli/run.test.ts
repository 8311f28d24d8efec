import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../check/check.ts';
import { Agent, runProgram, startAgent } from '../../support/agent.ts';
import { AGENT_BIN } from '../../support/paths.ts';

/** Each makes something at a path where no journal can be written. */
const unusable: [string, RegExp, (path: string) => void][] = [
  ['a symbolic link', /symbolic link to .*name the real folder/, makeLink],
  ['a file', /journal.*choose another/, (path) => writeFileSync(path, '')],
  ['a folder that others may write to', /chmod 0700/, makeOpenFolder],
  ['on a read-only mount', /read-only.*mount it writable/, makeReadOnly],
];

for (const [what, message, make] of unusable)
  test(`a journal that is ${what} ends the agent with 73, and nothing stays attached`, (t) => {
    const agent = new Agent({});
    const path = join(agent.directory, 'unusable');
    t.after(() => spawnSync('umount', ['--lazy', path]));
    t.after(() => agent.close());
    make(path);
    const journal = what === 'on a read-only mount' ? join(path, 'journal') : path;
    const { status, stdout, stderr } = run(agent, '--journal-dir', journal);
    assert.deepEqual([status, stdout], [73, ''], stderr);
    assert.match(stderr, message);
    assert.ok(!existsSync(agent.pinDir));
  });

test('a journal that cannot be listed ends the agent with 73, and a message without a stack', (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  mkdirSync(agent.journalDir, { mode: 0o300 });
  const lists = 'dac_override,-dac_read_search';
  const { status, stderr } = spawnSync(
    'setpriv',
    [
      `--bounding-set=-${lists}`,
      `--inh-caps=-${lists}`,
      AGENT_BIN,
      'run',
      '--pin-dir',
      agent.pinDir,
      '--journal-dir',
      agent.journalDir,
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );
  assert.equal(status, 73, stderr);
  assert.match(stderr, /journal .*EACCES.*choose another/);
  assert.doesNotMatch(stderr, /^ {4}at /m);
  assert.ok(!existsSync(agent.pinDir));
});

test('a segment that is a symbolic link is refused with 73', (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  mkdirSync(agent.journalDir, { mode: 0o700 });
  const target = join(agent.directory, 'precious');
  writeFileSync(target, 'precious');
  symlinkSync(target, join(agent.journalDir, '00000000000000000001.jsonl'));
  const { status, stderr } = run(agent, '--journal-dir', agent.journalDir);
  assert.equal(status, 73, stderr);
  assert.equal(readFileSync(target, 'utf8'), 'precious');
  assert.ok(!existsSync(agent.pinDir));
});

for (const missing of ['bpf', 'perfmon'])
  test(`without CAP_${missing.toUpperCase()} the agent says so, ends with 77 and leaves nothing`, (t) => {
    const agent = new Agent({});
    t.after(() => agent.close());
    const drop = `--bounding-set=-${missing},-sys_admin`;
    const { status, stderr } = spawnSync(
      'setpriv',
      [drop, AGENT_BIN, 'run', '--pin-dir', agent.pinDir, '--journal-dir', agent.journalDir],
      { encoding: 'utf8', timeout: 20_000 },
    );
    assert.equal(status, 77, stderr);
    assert.match(stderr, new RegExp(`CAP_${missing.toUpperCase()}`));
    assert.doesNotMatch(stderr, /^ {4}at /m);
    assert.ok(!existsSync(agent.pinDir));
  });

test('the capabilities BPF, PERFMON and those of files are enough', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await agent.stop();
  assert.equal(agent.detach('--discard').status, 0);
  const script = `setpriv --bounding-set=-sys_admin "$0" run --pin-dir "$1" --journal-dir "$2" \
    --print none --on-exit detach & pid=$!
    for i in $(seq 100); do [ -e "$1/on_fork_1" ] && break; sleep 0.1; done
    [ -e "$1/on_fork_1" ] || exit 3
    sleep 0.3; kill $pid; wait $pid`;
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', script, AGENT_BIN, agent.pinDir, join(agent.directory, 'second')],
    { encoding: 'utf8', timeout: 20_000 },
  );
  assert.equal(status, 0, stderr);
});

test('--print jsonl prints only the lines of the journal to stdout, and the rest to stderr', async (t) => {
  const agent = await startAgent({ args: ['--print', 'jsonl'] });
  t.after(() => agent.close());
  await runProgram('noop', 'run:printed');
  await agent.journal.marked('run:printed');
  assert.equal(await agent.stop('SIGINT'), 0, agent.stderr);
  agent.records();
  await agent.journal.waitFor('stdout', () => agent.stdout.includes('journal.stop') || undefined);
  assert.deepEqual(agent.stdout.trimEnd().split('\n'), agent.journal.lines);
  assert.match(agent.stderr, /recording/);
});

test('--on-exit detach leaves nothing, and the journal records it', async (t) => {
  const agent = await startAgent({ args: ['--on-exit', 'detach'] });
  t.after(() => agent.close());
  await runProgram('noop', 'run:detached');
  assert.equal(await agent.stop(), 0, agent.stderr);
  assert.ok(!existsSync(agent.pinDir));
  await agent.journal.marked('run:detached');
  const stop = agent.records().findLast(({ action }) => action === 'journal.stop');
  assert.equal(stop?.attributes['vcml.hook.state'], 'detached');
  assert.ok(!readdirSync(agent.journalDir).includes('lock'));
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});

test('status shows what is attached, during and after a run', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await agent.journal.waitFor('state.json', () => statusOf(agent).state ?? undefined);
  const during = statusOf(agent);
  assert.deepEqual([during.running, during.pinned], [true, true]);
  await agent.stop();
  const after = statusOf(agent);
  assert.deepEqual([after.running, after.pinned, after.state.hookState], [false, true, 'kept']);
});

function statusOf(agent: Agent) {
  const where = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  const { stdout } = spawnSync(AGENT_BIN, ['status', '--output', 'json', ...where], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout);
}

function run(agent: Agent, ...args: string[]) {
  return spawnSync(AGENT_BIN, ['run', '--pin-dir', agent.pinDir, '--print', 'none', ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
}

function makeLink(path: string): void {
  mkdirSync(`${path}-target`);
  symlinkSync(`${path}-target`, path);
}

function makeOpenFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o777);
}

function makeReadOnly(path: string): void {
  mkdirSync(path);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', path]);
  assert.equal(status, 0);
}
