import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import { createDecoder } from '../../agent/source/decode.ts';
import { causeKind } from '../../agent/source/layout.ts';
import type { CausalRecord } from '../../record/types.ts';
import { BOOT_ID } from '../support/ids.ts';
import { bufferWith, craftCgroup, craftExec } from '../support/kernel-events.ts';

const AS_IS = (args: readonly string[]) => ({ args, redacted: 0 });
const CPUS = 2;
const EVENTS = 10_000;
const NOW = { seconds: 1, nanos: 0 };

/** Mulberry32: the same numbers for the same seed, from 0 to below `limit`. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** A sound event, damaged or not, or none at all; and the length that comes with it. */
function damagedEvent(random: (limit: number) => number, n: number): [Buffer, number] {
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random(256)));
  const sound =
    random(5) === 0
      ? craftCgroup({ cpu: random(CPUS), id: BigInt(n), hierarchy: 0, path: `/${n}` })
      : craftExec({
          cpu: random(CPUS),
          seq: BigInt(n + 1),
          cause: { kind: causeKind.causeRecord, seq: BigInt(1 + random(n + 1)), cpu: random(CPUS) },
          comm: 'fuzz',
          object: bytes(random(60)),
          path: bytes(random(60)),
          cwd: bytes(random(60)),
          args: bytes(random(400)),
          ...(random(2) === 0 ? {} : { capabilities: { ambient: BigInt(n) } }),
          environment: { first: bytes(random(99)), last: bytes(random(99)), size: 198 + random(9) },
        });
  switch (random(4)) {
    case 0: {
      const noise = bytes(random(1200));
      return [noise, noise.length];
    }
    case 1:
      for (let flips = 1 + random(20); flips > 0; flips--) {
        const at = random(sound.length);
        sound.writeUInt8(sound.readUInt8(at) ^ (1 << random(8)), at);
      }
      return [sound, sound.length];
    case 2:
      return [sound, random(sound.length + 64)];
    default:
      return [sound, sound.length];
  }
}

test('no damaged event throws, and every event that cannot be read is a loss', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}: run again with SEED=${seed}`);
  const random = createRandom(seed);
  let unreadable = 0;
  let told = 0;
  for (let n = 0; n < EVENTS; n++) {
    const [event, length] = damagedEvent(random, n);
    const found = createDecoder(bufferWith(event), CPUS, AS_IS, ['A']).decode(0, length);
    const out: CausalRecord[] = [];
    const lineage = new Lineage({
      bootId: BOOT_ID,
      hookId: '1',
      nextSeq: new Float64Array(CPUS).fill(1),
      losses: new Losses(),
      quietRange: () => ({ first: 0, last: 0 }),
      ancestor: () => undefined,
    });
    if (found.kind === 'exec') lineage.exec(found, NOW, out);
    if (found.kind !== 'unreadable') continue;
    unreadable += 1;
    lineage.unreadable(found, NOW, out);
    lineage.settle(NOW, out);
    const losses = out.flatMap((record) => (record.action === 'journal.loss' ? [record.loss] : []));
    assert.ok(
      losses.some(({ stage, count }) => stage === found.stage && count === 1),
      `event ${n}: ${JSON.stringify(losses)}`,
    );
    told += losses.filter(({ stage }) => stage === found.stage).length;
  }
  assert.ok(unreadable > EVENTS / 4 && unreadable < EVENTS, `${unreadable} were unreadable`);
  assert.ok(told >= unreadable);
});
