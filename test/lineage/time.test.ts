import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import { Clock } from '../../agent/source/clock.ts';
import { createDecoder } from '../../agent/source/decode.ts';
import { causeKind } from '../../agent/source/layout.ts';
import { createLineWriter } from '../../record/line/encode.ts';
import type { CausalRecord } from '../../record/types.ts';
import { BOOT_ID } from '../support/ids.ts';
import { bufferWith, craftExec } from '../support/kernel-events.ts';

const SELF = { pid: 7, ppid: 1, uid: 0, gid: 0, comm: 'node', executable: '/opt/node' };
const SECOND = 1_000_000_000n;
const WALL = 1_764_000_000n * SECOND;
const EXECS = 20;

/**
 * The lines of a chain of execs, each the child of the one before; `wallAt` returns the wall clock
 * at a moment of the boot clock, and is sampled before each exec.
 */
function chain(wallAt: (boot: bigint) => bigint) {
  const clock = new Clock();
  const lines = createLineWriter({
    bootId: BOOT_ID,
    hookId: '1',
    self: SELF,
    offset: () => clock.offset,
  });
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: '1',
    nextSeq: Float64Array.of(1),
    losses: new Losses(),
    quietRange: () => ({ first: 0, last: 0 }),
    ancestor: () => undefined,
  });
  return Array.from({ length: EXECS }, (_, n) => {
    const boot = bootTimeOf(n);
    const wall = wallAt(boot);
    clock.sample([boot / SECOND, boot % SECOND, wall / SECOND, wall % SECOND].map(Number));
    const out: CausalRecord[] = [];
    const event = createDecoder(bufferWith(eventOf(n)), 1, undefined).decode(0, eventOf(n).length);
    assert.ok(event.kind === 'exec');
    lineage.exec(event, clock.now, out);
    const bytes = Buffer.alloc(1 << 16);
    const place = { resource: '{}', cgroup: undefined, attributes: '' };
    const line = bytes.toString('utf8', 0, lines.write(out[0] as CausalRecord, place, bytes, 0));
    const { id, parent_cause: parent, attributes } = JSON.parse(line);
    const timestamp = BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
    return { id, parent, bootTime: attributes['vcml.boot_time'], timestamp, wall };
  });
}

/** The machine is suspended in the middle: the boot clock advances by eight hours. */
function bootTimeOf(n: number): bigint {
  const slept = n < EXECS / 2 ? 0n : 28_800n * SECOND;
  return (100n + BigInt(n)) * SECOND + 7n + slept;
}

function eventOf(n: number): Buffer {
  const before = { bootTime: bootTimeOf(n - 1), pid: 1000 + n - 1, cpu: 0, seq: BigInt(n) };
  return craftExec({
    cpu: 0,
    seq: BigInt(n + 1),
    pid: 1000 + n,
    bootTime: bootTimeOf(n),
    cause:
      n === 0 ? { kind: causeKind.causeUntracked } : { kind: causeKind.causeRecord, ...before },
  });
}

const even = (boot: bigint) => WALL + boot;
const late = (boot: bigint, by: bigint) => (boot < bootTimeOf(5) ? 0n : by * SECOND);

for (const [what, wallAt] of [
  ['does not move', even],
  ['is set an hour forward', (boot) => even(boot) + late(boot, 3600n)],
  ['is set an hour back', (boot) => even(boot) - late(boot, 3600n)],
  ['is set to 1970', (boot) => (boot < bootTimeOf(5) ? even(boot) : boot)],
  ['leaps', (boot) => even(boot) - late(boot, 1n)],
  [
    'stood still while the machine was suspended',
    (boot) => (boot < bootTimeOf(EXECS / 2) ? even(boot) : even(boot) - 28_800n * SECOND),
  ],
] as [string, (boot: bigint) => bigint][])
  test(`ids, links and order are the boot clock's, timestamps the wall clock's, when that ${what}`, () => {
    const records = chain(wallAt);
    const unmoved = chain(even);
    assert.deepEqual(
      records.map(({ id, parent, bootTime }) => [id, parent, bootTime]),
      unmoved.map(({ id, parent, bootTime }) => [id, parent, bootTime]),
    );
    for (const [n, { parent, bootTime, timestamp, wall }] of records.entries()) {
      assert.equal(parent, n === 0 ? null : records[n - 1]?.id);
      assert.equal(BigInt(bootTime), bootTimeOf(n));
      assert.equal(timestamp, wall);
    }
  });
