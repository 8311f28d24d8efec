import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { Losses } from '../../agent/lineage/losses.ts';

test('at first nothing is lost on any CPU', () => {
  const losses = new Losses();
  assert.equal(losses.has(0, 1), false);
  assert.equal(losses.has(7, 0), false);
});

test('a range includes both of its ends and nothing outside', () => {
  const losses = new Losses();
  losses.add(2, 10, 12);
  for (const [seq, lost] of [
    [9, false],
    [10, true],
    [11, true],
    [12, true],
    [13, false],
  ] as const)
    assert.equal(losses.has(2, seq), lost, `${seq}`);
  assert.equal(losses.has(1, 10), false);
  assert.equal(losses.has(3, 10), false);
});

test('adjacent ranges become one', () => {
  const losses = new Losses();
  losses.add(0, 1, 1);
  losses.add(0, 2, 5);
  losses.add(0, 7, 7);
  assert.deepEqual(losses.toJSON(), [[1, 5, 7, 7]]);
});

test('of doubtful ranges nobody knows whether they are lost, and they join no other range', () => {
  const losses = new Losses();
  losses.add(0, 3, 4);
  losses.add(0, 9, 9);
  for (const [first, last] of [
    [1, 2],
    [5, 5],
    [7, 8],
    [10, 12],
  ] as const)
    losses.doubt(0, first, last);
  losses.doubt(2, 1, 1);
  losses.add(0, 13, 13);
  const words = Array.from({ length: 14 }, (_, n) => losses.has(0, n + 1));
  const [u, t, f] = [undefined, true, false];
  assert.deepEqual(words, [u, u, t, t, u, f, u, u, t, u, u, u, t, f]);
  assert.deepEqual([losses.has(1, 1), losses.has(2, 1)], [false, undefined]);
  const again = new Losses(losses.toJSON(), losses.partly);
  assert.deepEqual(
    words,
    words.map((_, n) => again.has(0, n + 1)),
  );
});

test('numbers beyond 2^32 are distinct', () => {
  const losses = new Losses();
  losses.add(0, 2 ** 52, 2 ** 52 + 1);
  assert.equal(losses.has(0, 2 ** 52 - 1), false);
  assert.equal(losses.has(0, 2 ** 52 + 1), true);
  assert.equal(losses.has(0, 2 ** 52 + 2), false);
  assert.equal(losses.has(0, 0), false);
});

test('any ranges behave like a set of their numbers, and so do copies through JSON', () => {
  for (let round = 0; round < 200; round++) {
    const losses = new Losses();
    const sets = [new Set<number>(), new Set<number>(), new Set<number>()];
    const next = [1, 1, 1];
    for (let run = randomInt(30); run > 0; run--) {
      const cpu = randomInt(3);
      const first = (next[cpu] ?? 1) + randomInt(4);
      const last = first + randomInt(5);
      losses.add(cpu, first, last);
      for (let seq = first; seq <= last; seq++) sets[cpu]?.add(seq);
      next[cpu] = last + 1;
    }
    const copy = new Losses(JSON.parse(JSON.stringify(losses)));
    for (const [cpu, set] of sets.entries())
      for (let seq = 0; seq < 150; seq++) {
        assert.equal(losses.has(cpu, seq), set.has(seq), `CPU ${cpu}, ${seq}`);
        assert.equal(copy.has(cpu, seq), set.has(seq), `copy, CPU ${cpu}, ${seq}`);
      }
  }
});

test('a copy is independent of the original', () => {
  const runs = [[1, 2]];
  const losses = new Losses(runs);
  losses.add(0, 3, 4);
  assert.deepEqual(runs, [[1, 2]]);
});

test('joined ranges say of each number that it is lost, that it is not, or that nobody knows', () => {
  for (let round = 0; round < 200; round++) {
    const losses = new Losses();
    const sets = [new Set<number>(), new Set<number>()];
    const next = [1, 1];
    for (let run = randomInt(60); run > 0; run--) {
      const cpu = randomInt(2);
      const first = (next[cpu] ?? 1) + randomInt(6);
      const last = first + randomInt(3);
      losses.add(cpu, first, last);
      for (let seq = first; seq <= last; seq++) sets[cpu]?.add(seq);
      next[cpu] = last + 1;
      if (randomInt(10) === 0) losses.shorten(2 + randomInt(8));
    }
    const max = 2 + randomInt(8);
    losses.shorten(max);
    assert.ok(losses.count <= max);
    const copy = new Losses(JSON.parse(JSON.stringify(losses)), losses.partly);
    for (const [cpu, set] of sets.entries())
      for (let seq = 0; seq < 300; seq++) {
        const found = losses.has(cpu, seq);
        assert.equal(copy.has(cpu, seq), found);
        if (found !== undefined) assert.equal(found, set.has(seq), `CPU ${cpu}, ${seq}`);
      }
  }
});

test('the ranges that are closest to each other are joined first', () => {
  const losses = new Losses([
    [1, 2, 10, 10, 12, 13, 500, 600],
    [7, 7],
  ]);
  losses.shorten(4);
  assert.deepEqual(losses.toJSON(), [
    [1, 2, 10, 13, 500, 600],
    [7, 7],
  ]);
  assert.deepEqual(losses.partly, [[10], []]);
  losses.add(0, 601, 601);
  losses.shorten(3);
  assert.deepEqual([losses.toJSON()[0], losses.partly[0]], [[1, 13, 500, 601], [1]]);
});

test('of ranges that are equally close, no more are joined than must be, and the oldest first', () => {
  const every = Array.from({ length: 10 }, (_, n) => [2 * n + 1, 2 * n + 1]).flat();
  const losses = new Losses([every]);
  losses.shorten(5);
  assert.deepEqual(losses.toJSON(), [[1, 11, 13, 13, 15, 15, 17, 17, 19, 19]]);
  assert.deepEqual(losses.partly, [[1]]);
});
