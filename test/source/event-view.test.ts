import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bootTime } from '../../agent/source/event-view.ts';

test('nanoseconds of 64 bits become exact seconds and nanoseconds', () => {
  const special = [
    0n,
    1n,
    999_999_999n,
    10n ** 9n,
    2n ** 32n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];
  const near = special.flatMap((value) => [value - 1n, value, value + 1n]);
  const random = Array.from({ length: 100_000 }, () => {
    const value = randomBytes(8).readBigUInt64LE();
    return value >> BigInt(Number(value % 40n));
  });
  const whole = random.slice(0, 10_000).map((value) => value - (value % 1_000_000_000n));
  for (const value of [...near, ...random, ...whole, ...whole.map((value) => value - 1n)]) {
    if (value < 0n || value >= 2n ** 64n) continue;
    const { seconds, nanos } = bootTime(Number(value & 0xffffffffn), Number(value >> 32n));
    assert.equal(BigInt(seconds) * 1_000_000_000n + BigInt(nanos), value);
    assert.ok(nanos >= 0 && nanos < 1e9, `${value}`);
  }
});
