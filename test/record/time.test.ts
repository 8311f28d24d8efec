import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { rfc3339Of } from '../../record/time.ts';

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
