import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { hasGap } from '../../record/segment-gap.ts';

for (const [numbers, expected] of [
  [[], false],
  [[7], false],
  [[7, 8, 9], false],
  [[7, 9], true],
  [[7, 8, 10, 11], true],
] as const)
  test(`${numbers.join(', ') || 'no segment'}: ${expected ? 'a gap' : 'no gap'}`, () => {
    equal(hasGap(numbers), expected);
  });
