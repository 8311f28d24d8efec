import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { LossLimit } from '../../agent/lineage/loss-limit.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import type { CausalRecord } from '../../record/types.ts';
import { BOOT_ID } from '../support/ids.ts';
import { createSeeded } from '../support/scripted/seeded.ts';
import { ModelKernel } from './model-kernel.ts';

const NOW = { seconds: 90_000, nanos: 5 };
const CPUS = 3;

/**
 * An agent that reads a model of the kernel side, and forgets losses above `max` ranges. Above `hardMax`,
 * it may not know whether a cause is lost.
 */
function agentOf(kernel: ModelKernel, limits: { max?: number; hardMax?: number } = {}) {
  const nextSeq = new Float64Array(CPUS).fill(1);
  const losses = new Losses();
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: '1',
    nextSeq,
    losses,
    quietRange: () => ({ first: 0, last: 0 }),
    ancestor: () => undefined,
  });
  const limit = new LossLimit(losses, nextSeq, kernel, limits);
  return {
    losses,
    limit,
    /** Makes records of so many events of the ring, and checks their links. */
    drain(count: number) {
      const out: CausalRecord[] = [];
      const lost = kernel.lostSeq();
      const isLast = count >= kernel.ring.length;
      for (const event of kernel.ring.splice(0, count)) lineage.exec(event, NOW, out);
      if (isLast) for (const [cpu, seq] of lost.entries()) lineage.reconcile(cpu, seq, NOW, out);
      const execs = out.filter((record) => record.action === 'exec');
      for (const record of execs)
        if (limits.hardMax === undefined || record.gap?.reason !== 'untracked')
          check(kernel, record);
      return execs;
    },
  };
}

function check(kernel: ModelKernel, record: CausalRecord & { readonly action: 'exec' }): void {
  const { event, gap } = record;
  assert.ok(event.cause.kind === 'record');
  const { cpu, seq } = event.cause;
  const isLost = kernel.isLost(cpu, seq);
  assert.equal(
    gap?.reason,
    isLost ? 'lost' : undefined,
    `${event.cpu}:${event.seq} < ${cpu}:${seq}`,
  );
}

test('of many thousands of losses, those stay that a process can still refer to', () => {
  const kernel = new ModelKernel(CPUS, createSeeded(1));
  const { losses, limit, drain } = agentOf(kernel);
  let parent = 0;
  for (let n = 0; n < 20_000; n++) {
    const child = kernel.fork(kernel.first);
    kernel.exec(child, 0, n % 2 === 0);
    if (n === 5000) parent = child;
    else kernel.exit(child);
    drain(100);
    if (n % 500 === 0) limit.look();
    assert.ok(losses.count < 2600, `${losses.count} ranges`);
  }
  assert.ok(losses.has(0, 5001), 'the loss of the process that is alive');
  kernel.exec(kernel.fork(parent), 1, false);
  drain(1);
});

test('losses that are fewer are not looked for in the table', () => {
  const kernel = new ModelKernel(CPUS, createSeeded(1));
  const { losses, limit, drain } = agentOf(kernel);
  for (let n = 0; n < 4000; n++) kernel.exec(kernel.first, 0, n % 2 === 0);
  drain(4000);
  kernel.causes = () => assert.fail('the table was read');
  limit.look();
  assert.equal(losses.count, 2000);
});

test('while many lost causes are alive, the table is read each time their number has doubled', () => {
  const kernel = new ModelKernel(CPUS, createSeeded(1));
  const { losses, limit, drain } = agentOf(kernel, { max: 10 });
  let reads = 0;
  const { numbers } = kernel;
  kernel.numbers = () => {
    reads += 1;
    return numbers();
  };
  for (let n = 0; n < 1000; n++) {
    for (const isLost of [true, false]) kernel.exec(kernel.fork(kernel.first), 0, isLost);
    drain(10);
    limit.look();
  }
  assert.equal(losses.count, 1000);
  assert.ok(reads < 20, `${reads} reads`);
});

for (let seed = 1; seed <= 60; seed++)
  test(`whatever happens while losses are forgotten, each link and each gap is right: seed ${seed}`, () => {
    const seeded = createSeeded(seed);
    const kernel = new ModelKernel(CPUS, seeded);
    const { losses, limit, drain } = agentOf(kernel, { max: 3 });
    kernel.between = () => {
      for (let steps = seeded.below(16); steps > 0; steps--) kernel.step();
    };
    let most = 0;
    for (let n = 0; n < 4000; n++) {
      kernel.step();
      if (seeded.percent(20)) drain(seeded.below(6));
      if (seeded.percent(20)) limit.look();
      most = Math.max(most, losses.count);
    }
    // 40 processes, what was lost since the table was read, and the doubling
    assert.ok(most < 150, `${most} ranges`);
  });

/** A storm: so many processes fork, that the table cannot be read as it is at one moment. */
function stormyKernel(seed: number): ModelKernel {
  const kernel = new ModelKernel(CPUS, createSeeded(seed));
  kernel.between = () => kernel.exit(kernel.fork(kernel.first));
  return kernel;
}

test('a storm makes the list no longer than its cap, and of what precedes or follows it all is known', () => {
  const kernel = stormyKernel(1);
  const { losses, limit, drain } = agentOf(kernel, { hardMax: 4000 });
  const [before, lost] = [kernel.fork(kernel.first), kernel.fork(kernel.first)];
  kernel.exec(before, 0, false);
  kernel.exec(lost, 0, true);
  for (let n = 0; n < 1000; n++) kernel.exec(kernel.first, 0, false);
  drain(2000);
  for (let n = 0; n < 20_000; n++) {
    kernel.exec(kernel.first, 0, n % 2 === 0);
    drain(10);
    if (n % 100 === 0) limit.look();
    assert.ok(losses.count <= 4050, `${losses.count} ranges`);
  }
  limit.look();
  assert.ok(JSON.stringify([losses, losses.partly]).length < 100_000);
  const [during, after] = [kernel.fork(kernel.first), kernel.fork(kernel.first)];
  kernel.exec(during, 0, false);
  for (let n = 0; n < 1000; n++) kernel.exec(kernel.first, 0, false);
  kernel.exec(after, 0, false);
  drain(2000);
  for (const parent of [before, lost, during, after]) kernel.exec(kernel.fork(parent), 1, false);
  const reasons = drain(10).map(({ gap }) => gap?.reason);
  assert.deepEqual(reasons, [undefined, 'lost', undefined, undefined]);
  // Once it is over, what nobody can refer to any more is forgotten.
  kernel.between = () => {};
  for (let looks = 0; looks < 2; looks++) limit.look();
  assert.equal(losses.partly.flat().length, 0);
});

for (let seed = 1; seed <= 40; seed++)
  test(`above the cap, no link is wrong, and what is not known is a gap that says so: seed ${seed}`, () => {
    const seeded = createSeeded(seed);
    const kernel = stormyKernel(seed);
    const { losses, limit, drain } = agentOf(kernel, { max: 3, hardMax: 20 });
    let unknown = 0;
    for (let n = 0; n < 4000; n++) {
      kernel.step();
      if (seeded.percent(20))
        unknown += drain(seeded.below(6)).filter(({ gap }) => gap?.reason === 'untracked').length;
      if (!seeded.percent(20)) continue;
      limit.look();
      assert.ok(losses.count <= 20, `${losses.count} ranges`);
      const copy = new Losses(JSON.parse(JSON.stringify(losses)), losses.partly);
      assert.deepEqual([copy, copy.partly], [losses, losses.partly]);
    }
    assert.ok(unknown > 0);
  });
