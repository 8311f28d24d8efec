import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { program, runProgram, startAgent } from '../../support/agent.ts';
import { mountBpffs } from '../../support/bpffs.ts';
import { drainExecs, openTestHook } from '../../support/hook.ts';
import { until } from '../../support/until.ts';

const RANGES_MAX = 2000;
const HARD_MAX = 4000;
/** Every second number is lost, on whichever CPUs they happen. */
const EXECS = 3 * RANGES_MAX;
const WHOLE_READS = 1000;

interface State {
  losses: number[][];
  readonly partlyLost: number[][];
  readonly nextSeq: readonly number[];
}

/**
 * An agent that has stopped, as after many storms on a slow disk: every second number is lost, and with
 * them the record of a process that waits to execute a child.
 */
async function afterStorms(t: TestContext, execs: number) {
  const agent = await startAgent();
  t.after(() => agent.close());
  const waiting = spawn(program('load'), ['wait-and-spawn', 'case:forgotten:child'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(waiting.stdout, 'data');
  const parent = await agent.journal.marked('wait-and-spawn case:forgotten:child');
  await runProgram('load', 'storm', `${execs}`, '1');
  await agent.stop();

  const file = join(agent.journalDir, 'state.json');
  const read = (): State => JSON.parse(readFileSync(file, 'utf8'));
  const state = read();
  const { 'vcml.cpu': cpu, 'vcml.seq': seq } = parent.attributes as Record<string, number>;
  const half = (next: number, own: number | undefined) =>
    Array.from({ length: next }, (_, n) => n).filter((n) => n > 0 && n % 2 === (own ?? 1) % 2);
  state.losses = state.nextSeq.map((next, n) =>
    half(next, n === cpu ? seq : undefined).flatMap((one) => [one, one]),
  );
  writeFileSync(file, JSON.stringify(state));
  const child = () => {
    waiting.stdin.end('go\n');
    return agent.journal.marked('spawn case:forgotten:child');
  };
  return { agent, read, parent, child };
}

test('the list of losses gets short again, and a process whose record is lost still makes a gap', async (t) => {
  const { agent, read, parent, child } = await afterStorms(t, EXECS);
  assert.ok(ranges(read()) > RANGES_MAX);
  await agent.start();
  await until('a short list', async () => {
    await runProgram('noop');
    return ranges(read()) < RANGES_MAX;
  });
  const { attributes } = await child();
  assert.equal(attributes['vcml.gap.reason'], 'lost');
  assert.equal(attributes['vcml.gap.lost_cause'], parent.id);
});

test('the list gets short also in a storm; a process whose record may be lost makes a gap then', async (t) => {
  const { agent, read, child } = await afterStorms(t, 2 * EXECS);
  assert.ok(ranges(read()) > HARD_MAX);
  // The table of causes cannot be read while processes fork.
  const storm = runProgram('storm', '4', '15', program('noop'));
  await agent.start();
  await until('a short list', () => ranges(read()) <= HARD_MAX);
  assert.ok(read().partlyLost.flat().length > 0);
  await storm;
  await agent.kill();
  await agent.start();
  assert.equal((await child()).attributes['vcml.gap.reason'], 'untracked');
});

function ranges({ losses }: State): number {
  return losses.flat().length / 2;
}

test('the table of causes is read as it is at one moment, or not at all', async (t) => {
  const bpffs = mkdtempSync(join(tmpdir(), 'vcml-test-'));
  mountBpffs(bpffs);
  const hook = await openTestHook(bpffs);
  hook.arm();
  const hopping = spawn(program('load'), ['hop'], { detached: true, stdio: 'ignore' });
  t.after(() => {
    process.kill(-Number(hopping.pid), 'SIGKILL');
    hook.detach();
    execFileSync('umount', [bpffs]);
    rmdirSync(bpffs);
  });
  const { cpu, seq } = await until('its exec', () =>
    drainExecs(hook).find(({ pid }) => pid === hopping.pid),
  );
  for (let whole = 0; whole < WHOLE_READS; ) {
    const causes = hook.causes();
    if (causes === undefined) continue;
    whole += 1;
    const isThere = causes.some((one, n) => n % 2 === 0 && one === cpu && causes[n + 1] === seq);
    assert.ok(isThere, `${cpu}:${seq} is not in the table`);
  }
});
