import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { rfc3339, rfc3339Of, wall } from '../../record/time.ts';

const TIMES: readonly (readonly [nanoseconds: bigint, text: string | undefined])[] = [
  [1_795_400_191_488_657_708n, '2026-11-23T02:16:31.488657708Z'],
  [0n, '1970-01-01T00:00:00.000000000Z'],
  [-1n, '1969-12-31T23:59:59.999999999Z'],
  [253_402_300_800_000_000_001n, '+010000-01-01T00:00:00.000000001Z'],
  [10n ** 25n, undefined],
];

for (const [nanoseconds, text] of TIMES)
  test(`${nanoseconds} ns since 1970 are ${text ?? 'no date'}`, () => {
    equal(rfc3339Of(nanoseconds), text);
  });

const ON_WALL: readonly [boot: [number, number], offset: [number, number], nanos: string][] = [
  [[0, 0], [0, 0], '0'],
  [[1, 5], [1_764_000_000, 7], '1764000001000000012'],
  [[1, 999_999_999], [1_764_000_000, 0], '1764000001999999999'],
  [[1, 999_999_999], [1_764_000_000, 1], '1764000002000000000'],
  [[1, 999_999_999], [1_764_000_000, 999_999_999], '1764000002999999998'],
  [[5, 0], [1_764_000_000, 0], '1764000005000000000'],
];

for (const [[seconds, nanos], [ahead, more], expected] of ON_WALL)
  test(`time: ${seconds} s ${nanos} ns and ${ahead} s ${more} ns`, () => {
    const offset = { seconds: ahead, nanos: more };
    equal(wall({ seconds, nanos }, offset), expected);
    const date = new Date(Number(BigInt(expected) / 1_000_000n)).toISOString().slice(0, 19);
    equal(rfc3339({ seconds, nanos }, offset), `${date}.${expected.slice(-9).padStart(9, '0')}Z`);
  });
