import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idSetOf, valuesOf } from '../../../record/index/id-set.ts';
import { createSeeded } from '../../support/scripted/seeded.ts';

test('a set has the beginning of every id that it was given, and few others', () => {
  const seeded = createSeeded(1);
  for (const size of [0, 1, 2, 3, 100, 2719, 50_000]) {
    const ids = Array.from({ length: size }, () => seeded.below(2 ** 32));
    const set = idSetOf(Uint32Array.from(ids));
    const values = valuesOf(set);
    const has = new Set(values);
    assert.deepEqual(values, values.toSorted());
    for (const id of ids) assert.ok(has.has(id >>> (32 - set.bits)), `${size}: ${id}`);
    assert.equal(set.count, has.size);
    assert.ok(set.coded.length <= 1.1 * size + 8, `${set.coded.length} bytes for ${size} ids`);
    const others = Array.from({ length: 10_000 }, () => seeded.below(2 ** 32));
    const found = others.filter((id) => has.has(id >>> (32 - set.bits)));
    assert.ok(found.length < 400, `${found.length} of 10000 strange ids in a set of ${size}`);
  }
});

test('a set of the lowest and the highest ids keeps both', () => {
  const set = idSetOf(Uint32Array.of(2 ** 32 - 1, 0, 0, 2 ** 32 - 1));
  assert.deepEqual([...valuesOf(set)], [0, 2 ** set.bits - 1]);
});

test('a set of ids that repeat, or are far from each other, keeps each once', () => {
  const ids = [5, 2 ** 31, 2 ** 32 - 5];
  const many = Uint32Array.from({ length: 3000 }, (_, n) => ids[n % 3] ?? 0);
  const set = idSetOf(many);
  assert.ok(set.coded.length < 10, `${set.coded.length} bytes`);
  assert.deepEqual(
    [...valuesOf(set)],
    ids.map((id) => id >>> (32 - set.bits)),
  );
  // One distance has more than 32 ones.
  const coded = Buffer.concat([Buffer.alloc(20, 0xff), Buffer.alloc(4)]);
  assert.deepEqual([...valuesOf({ count: 1, bits: 32, coded })], [160 * 64]);
});

test('a set that is cut off, or has too large a value, is refused', () => {
  const set = idSetOf(Uint32Array.from({ length: 100 }, (_, n) => n * 40_000_000));
  const short = { ...set, coded: set.coded.subarray(0, -2) };
  assert.throws(() => valuesOf(short), /is cut off/);
  assert.throws(() => valuesOf({ ...set, bits: set.bits - 1 }), /too large/);
});
