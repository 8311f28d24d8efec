import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../agent/kube/pace.ts';

/** Spends so much at a time until a time, and obeys; returns what was spent until then. */
function spendUntil(pace: Pace, each: number, from: number, until: number): number {
  let spent = 0;
  for (let now = from; now < until; ) {
    now += each;
    spent += each;
    now += pace.spend(each, now);
  }
  return spent;
}

test('what was saved up is spent at once, and then a tenth of the time', () => {
  const pace = new Pace(0);
  const first = spendUntil(pace, 5, 0, 2000);
  equal(first, 2000, 'the pods of a start wait for nothing');
  const second = spendUntil(pace, 5, 2000, 102_000);
  ok(second > 9_000 && second < 11_000, `${second} of 100,000 ms`);
});

test('a minute of quiet saves no more than the first time', () => {
  const pace = new Pace(0);
  spendUntil(pace, 5, 0, 60_000);
  const spent = spendUntil(pace, 5, 600_000, 660_000);
  ok(spent > 7_000 && spent < 9_000, `${spent} ms`);
});

test('a single look that takes very long causes no pause of more than a second', () => {
  const pace = new Pace(0);
  equal(pace.spend(3_600_000, 3_600_000), 1000);
  equal(pace.pausedMs, 1000);
  ok(pace.spend(5, 3_601_005) < 100, 'and it is paid with that');
});
