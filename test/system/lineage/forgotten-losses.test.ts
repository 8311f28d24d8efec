import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { program, runProgram, startAgent } from '../../support/agent.ts';
import { mountBpffs } from '../../support/bpffs.ts';
import { drainExecs, openTestHook } from '../../support/hook.ts';
import { until } from '../../support/until.ts';

const RANGES_MAX = 2000;
/** Every second number is lost, on whichever CPUs they happen. */
const EXECS = 3 * RANGES_MAX;
const WHOLE_READS = 1000;

interface State {
  losses: number[][];
  readonly nextSeq: readonly number[];
}

test('the list of losses gets short again, and a process whose record is lost still makes a gap', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const waiting = spawn(program('load'), ['wait-and-spawn', 'case:forgotten:child'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(waiting.stdout, 'data');
  const parent = await agent.journal.marked('wait-and-spawn case:forgotten:child');
  await runProgram('load', 'storm', `${EXECS}`, '1');
  await agent.stop();

  // As after many storms on a slow disk; the process that waits is among the lost ones.
  const file = join(agent.journalDir, 'state.json');
  const read = (): State => JSON.parse(readFileSync(file, 'utf8'));
  const state = read();
  const { 'vcml.cpu': cpu, 'vcml.seq': seq } = parent.attributes as Record<string, number>;
  const half = (next: number, own: number | undefined) =>
    Array.from({ length: next }, (_, n) => n).filter((n) => n > 0 && n % 2 === (own ?? 1) % 2);
  state.losses = state.nextSeq.map((next, n) =>
    half(next, n === cpu ? seq : undefined).flatMap((one) => [one, one]),
  );
  assert.ok(ranges(state) > RANGES_MAX);
  writeFileSync(file, JSON.stringify(state));

  await agent.start();
  await until('a short list', async () => {
    await runProgram('noop');
    return ranges(read()) < RANGES_MAX;
  });
  waiting.stdin.end('go\n');
  const child = await agent.journal.marked('spawn case:forgotten:child');
  assert.equal(child.attributes['vcml.gap.reason'], 'lost');
  assert.equal(child.attributes['vcml.gap.lost_cause'], parent.id);
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
