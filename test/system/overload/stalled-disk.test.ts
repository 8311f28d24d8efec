import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { JournalReader } from '../../check/read.ts';
import { type Agent, program, startAgent } from '../../support/agent.ts';
import { mountFreezableDisk } from '../../support/freezable-disk.ts';
import { urlOf } from '../../support/scrape.ts';
import { until } from '../../support/until.ts';

const STALL_MS = 20_000;

for (const sync of ['interval', 'always'])
  test(`a disk that stalls for 20 s silences no probe and loses nothing, sync ${sync}`, async (t) => {
    const disk = mountFreezableDisk(t);
    const agent = await startAgent({
      journalDir: join(disk.dir, 'journal'),
      // Segments are closed all the time.
      args: ['--telemetry-address', '0', '--sync', sync, '--segment-max-bytes', '64KiB'],
    });
    t.after(async () => {
      disk.thaw();
      await agent.close();
    });
    const [live, ready] = [await urlOf(agent, '/livez'), await urlOf(agent, '/readyz')];
    const markers: string[] = [];
    const exec = () => {
      markers.push(`stall-${markers.length}`);
      execFileSync(program('noop'), [markers.at(-1) ?? '']);
    };
    for (let n = 0; n < 200; n++) exec();
    disk.freeze();
    let isReady = true;
    for (const began = performance.now(); performance.now() - began < STALL_MS; ) {
      for (let n = 0; n < 5; n++) exec();
      // An answer that waits for the disk would come when it has thawed: never, in this loop.
      assert.equal(await statusOf(live), 200);
      isReady &&= (await statusOf(ready)) === 200;
      await pause(100);
    }
    assert.equal(isReady, false);
    assert.equal(said(agent, 'journal.write_stalled'), 1, agent.stderr);
    disk.thaw();
    exec();
    await agent.journal.marked(markers.at(-1) ?? '');
    await until('readiness', async () => (await statusOf(ready)) === 200);
    assert.equal(said(agent, 'journal.write_recovered'), 1, agent.stderr);
    assert.equal(await agent.stop(), 0, agent.stderr);
    const lines = [...new JournalReader(agent.journalDir).lines()];
    assert.deepEqual(judge(lines).findings, []);
    assert.ok(!lines.some((line) => line.includes('"action":"journal.loss"')));
    const seen = lines
      .map((line) => String(JSON.parse(line).attributes['process.command_args']?.[1]))
      .filter((marker) => marker.startsWith('stall-'));
    assert.deepEqual(seen, markers);
  });

test('an agent that starts on a stalled disk answers probes, and records once the disk answers', async (t) => {
  const disk = mountFreezableDisk(t);
  const args = ['--telemetry-address', '0'];
  const agent = await startAgent({ journalDir: join(disk.dir, 'journal'), args });
  t.after(async () => {
    disk.thaw();
    await agent.close();
  });
  await agent.kill();
  disk.freeze();
  const started = agent.start();
  await until('its address', () => said(agent, 'telemetry.listening') === 2);
  const live = await urlOf(agent, '/livez');
  for (let n = 0; n < 20; n++) {
    assert.equal(await statusOf(live), 200);
    await pause(100);
  }
  disk.thaw();
  await started;
  assert.equal(await agent.stop(), 0, agent.stderr);
});

async function statusOf(url: string): Promise<number> {
  return (await fetch(url, { signal: AbortSignal.timeout(STALL_MS) })).status;
}

function said(agent: Agent, code: string): number {
  return agent.stderr.split('\n').filter((line) => line.includes(`"event":"${code}"`)).length;
}
