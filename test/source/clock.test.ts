import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from '../../agent/source/clock.ts';

const MS = 1_000_000;

/** A clock after readings of (boot, wall) in nanoseconds. */
function clockOf(...readings: readonly [boot: bigint, wall: bigint][]): Clock {
  const clock = new Clock();
  for (const [boot, wall] of readings)
    clock.sample(
      [
        boot / 1_000_000_000n,
        boot % 1_000_000_000n,
        wall / 1_000_000_000n,
        wall % 1_000_000_000n,
      ].map(Number),
    );
  return clock;
}

const WALL = 1_764_000_000_123_456_789n;

function offsetOf({ offset }: Clock): bigint {
  return BigInt(offset.seconds) * 1_000_000_000n + BigInt(offset.nanos);
}

test('the offset is the exact difference of both clocks, in seconds and nanoseconds', () => {
  for (const boot of [0n, 1n, 123_456_789n, 999_999_999n, 81_234_567_890_123n]) {
    const clock = clockOf([boot, WALL]);
    assert.equal(offsetOf(clock), WALL - boot);
    assert.ok(clock.offset.nanos >= 0 && clock.offset.nanos < 1e9);
  }
});

test('the offset is kept while it moves by at most a millisecond in total', () => {
  for (const step of [-MS, -1, 1, MS / 2, MS]) {
    const clock = clockOf([5n, WALL], [1_000_000_005n, WALL + 1_000_000_000n + BigInt(step)]);
    assert.equal(offsetOf(clock), WALL - 5n, `${step} ns`);
  }
});

test('a slow drift is followed once it exceeds a millisecond', () => {
  const readings = Array.from({ length: 4 }, (_, n): [bigint, bigint] => [
    BigInt(n) * 1_000_000_000n,
    WALL + BigInt(n) * 1_000_400_000n,
  ]);
  assert.equal(offsetOf(clockOf(...readings.slice(0, 3))), WALL);
  assert.equal(offsetOf(clockOf(...readings)), WALL + 1_200_000n);
});

test('a step of the wall clock is followed in both directions', () => {
  for (const step of [-3_600_000_000_000n, -1_000_001n, 1_000_001n, 86_400_000_000_000n]) {
    const clock = clockOf([7n, WALL], [8n, WALL + 1n + step]);
    assert.equal(offsetOf(clock), WALL - 7n + step, `${step} ns`);
  }
});

test('a reading in which the agent was preempted between the clocks moves the time and not the offset', () => {
  const clock = clockOf([5n, WALL]);
  clock.sample([9, 0, Number(WALL / 1_000_000_000n) + 30, 0, 20 * MS]);
  assert.equal(offsetOf(clock), WALL - 5n);
  assert.deepEqual(clock.now, { seconds: 9, nanos: 0 });
});

test('the first reading counts, however long it took', () => {
  const clock = new Clock();
  clock.sample([1, 0, 1_764_000_000, 0, 20 * MS]);
  assert.equal(offsetOf(clock), 1_763_999_999_000_000_000n);
});

test('now is the boot clock of the last reading, even if the offset is kept', () => {
  const clock = clockOf([5n, WALL], [3_000_000_009n, WALL + 3_000_000_004n]);
  assert.deepEqual(clock.now, { seconds: 3, nanos: 9 });
});

test('suspend moves both clocks alike: the offset stays, and now jumps with the boot clock', () => {
  const night = 28_800_000_000_000n;
  const clock = clockOf([5n, WALL], [5n + night, WALL + night + 1000n]);
  assert.equal(offsetOf(clock), WALL - 5n);
  assert.deepEqual(clock.now, { seconds: 28_800, nanos: 5 });
});

test('a wall clock that the firmware set wrongly during suspend is followed once it is corrected', () => {
  const night = 28_800_000_000_000n;
  const late = night - 3_000_000_000n;
  const asleep = clockOf([5n, WALL], [5n + night, WALL + late]);
  assert.equal(offsetOf(asleep), WALL - 5n - 3_000_000_000n);
  const right = clockOf([5n, WALL], [5n + night, WALL + late], [6n + night, WALL + night + 1n]);
  assert.equal(offsetOf(right), WALL - 5n);
});

test('a leap second, which the kernel inserts as a step back by one second, is followed', () => {
  const second = 1_000_000_000n;
  const clock = clockOf([second, WALL + second], [2n * second, WALL + second + 1n]);
  assert.equal(offsetOf(clock), WALL - second + 1n);
});

test('a smeared leap second is followed in steps of about a millisecond', () => {
  let last = WALL;
  let steps = 0;
  const clock = new Clock();
  for (let n = 0n; n <= 86_400n; n += 60n) {
    // One second, spread over a day; a sample a minute.
    const wall = WALL + n * 1_000_000_000n - (n * 1_000_000_000n) / 86_400n;
    const parts = [n, 0n, wall / 1_000_000_000n, wall % 1_000_000_000n];
    clock.sample(parts.map(Number));
    const offset = offsetOf(clock);
    assert.ok(offset <= last && last - offset < 2n * BigInt(MS), `${last - offset} ns at ${n} s`);
    if (offset !== last) steps += 1;
    last = offset;
  }
  assert.ok(WALL - last > 998_000_000n, `${WALL - last} ns in all`);
  assert.ok(steps > 500, `${steps} steps`);
});
