import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { addBounded } from '../../agent/enrich/bounded-set.ts';
import { timesAsLong } from '../support/growth.ts';

test('the newest values stay, and at most a quarter more', () => {
  const set = new Set<number>();
  for (let n = 0; n < 1000; n++) {
    addBounded(set, n, 100);
    ok(set.size <= 125, `${set.size} after ${n}`);
    const newest = Array.from({ length: Math.min(n + 1, 100) }, (_, at) => n - at);
    ok(newest.every((value) => set.has(value)));
  }
});

test('a value that is there is not added again, and a small set keeps its newest', () => {
  const set = new Set(['a', 'b']);
  addBounded(set, 'a', 2);
  deepEqual([...set], ['a', 'b']);
  addBounded(set, 'c', 2);
  deepEqual([...set], ['b', 'c']);
});

test('what stays is not among those that leave', () => {
  const set = new Set<number>();
  for (let n = 0; n < 1000; n++) addBounded(set, n, 100, (one) => one < 50);
  ok(set.size <= 125, `${set.size}`);
  for (let n = 0; n < 50; n++) ok(set.has(n) && set.has(999 - n));
});

test('the time to add a value does not grow with the size of the set', () => {
  const fill = (max: number) => {
    const set = new Set<number>();
    return () => {
      for (let n = 0; n < 20_000; n++) addBounded(set, Math.random(), max);
    };
  };
  const times = timesAsLong(fill(8192), fill(64), 8);
  ok(times < 8, `${times} times`);
});
