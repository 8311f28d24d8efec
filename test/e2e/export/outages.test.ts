import { equal, match, ok } from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Agent, program, startAgent } from '../../support/agent.ts';
import { provesHistory } from '../../support/otlp/history.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { createRealCollector, NO_COLLECTOR, type RealCollector } from './collector.ts';

interface Scene {
  readonly agent: Agent;
  readonly collector: RealCollector;
  /**
   * Ends the storm and the agent, compares what was recorded with what arrived, and returns the
   * number.
   */
  finish(): Promise<number>;
}

/** Starts an agent that exports to a collector while programs start continuously. */
async function setScene(t: TestContext, args: readonly string[] = []): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'vcml-outage-'));
  const collector = await createRealCollector(t, dir);
  const endpoint = `http://localhost:${collector.port}`;
  const agent = await startAgent({
    args: ['--export-endpoint', endpoint, '--export-catch-up-rate', '0', ...args],
  });
  const storm = startStorm();
  t.after(async () => {
    storm.kill('SIGKILL');
    await agent.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    agent,
    collector,
    async finish() {
      const ended = once(storm, 'exit');
      storm.kill('SIGTERM');
      await ended;
      execFileSync(program('noop'), ['the-end']);
      await agent.journal.marked('the-end');
      await collector.written('"the-end"');
      // Other processes may execute much: the last attempt has five seconds, and the next run sends
      // the rest.
      for (equal(await agent.stop(), 0); waitingBytes(agent) > 0; equal(await agent.stop(), 0))
        await agent.start();
      agent.records();
      provesHistory({ received: collector.lines(), journal: agent.journal.lines });
      return agent.journal.lines.length;
    },
  };
}

/** Returns the number of bytes that are not exported yet, from status. */
function waitingBytes({ journalDir, pinDir }: Agent): number {
  const args = ['status', '--output', 'json', '--journal-dir', journalDir, '--pin-dir', pinDir];
  return JSON.parse(execFileSync(AGENT_BIN, args, { encoding: 'utf8' })).export.bytes;
}

/**
 * Starts some hundred execs a second, so that an outage does not fill the disk with gigabytes. They
 * end with this process, however it ends.
 */
function startStorm(): ChildProcess {
  const loop =
    'while kill -0 $PPID; do for i in 1 2 3 4 5 6 7 8 9 10; do "$0" $i; done; sleep 0.05; done';
  return spawn('sh', ['-c', loop, program('noop')], { stdio: 'ignore' });
}

const options = { skip: NO_COLLECTOR };

test('nothing is lost when a collector is stopped ten times', options, async (t) => {
  const { collector, finish } = await setScene(t);
  for (let round = 0; round < 10; round++) {
    await collector.start();
    await sleep(1000);
    await collector.stop('SIGTERM');
    await sleep(round * 300);
  }
  await collector.start();
  ok((await finish()) > 100);
});

test(
  'nothing is lost or reordered when a collector and an agent are killed with -9',
  options,
  async (t) => {
    const { agent, collector, finish } = await setScene(t);
    for (let round = 0; round < 5; round++) {
      await collector.start();
      await sleep(1000);
      await collector.stop('SIGKILL');
      await sleep(500);
      if (round % 2 === 0) {
        await agent.kill();
        await agent.start();
      }
    }
    await collector.start();
    await finish();
  },
);

test('nothing is lost when a collector is frozen for a minute', options, async (t) => {
  const { agent, collector, finish } = await setScene(t, ['--export-timeout', '5s']);
  await collector.start();
  await sleep(1000);
  collector.process.kill('SIGSTOP');
  await sleep(60_000);
  match(agent.stderr, /DEADLINE_EXCEEDED/);
  collector.process.kill('SIGCONT');
  await finish();
});

test('a collector that starts late receives what was recorded before', options, async (t) => {
  const { collector, finish } = await setScene(t);
  await sleep(10_000);
  await collector.start();
  await finish();
});
