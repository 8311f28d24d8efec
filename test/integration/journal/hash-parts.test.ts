import { deepEqual, equal, throws } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { partHashing } from '../../../agent/source/hook.ts';
import { hashParts, LEAF, NODE } from '../../../record/tree/hashes.ts';
import { built } from '../../support/paths.ts';

// The test of sanitizers has another one.
const hash = partHashing(built(process.env.TEST_ADDON ?? 'vcml_hook.node'));
const skip = hash === undefined && 'this CPU has no instructions for SHA-256';

test('the addon hashes parts of every length, and as many at a time as there are, as OpenSSL does', {
  skip,
}, () => {
  // Padding differs from one block of 64 bytes to the next.
  for (let length = 0; length <= 320; length++) check(randomBytes(length), [0, length]);
  check(Buffer.alloc(0), [0, 0, 0]);
  for (const most of [150, 2_000, 40_000])
    for (let round = 0; round < 500; round++) {
      const ends = [below(100)];
      for (let chunks = below(10); chunks > 0; chunks--)
        ends.push((ends.at(-1) ?? 0) + below(most));
      check(randomBytes((ends.at(-1) ?? 0) + below(3)), ends);
    }
});

test('the addon hashes nothing outside of the text', { skip }, () => {
  for (const ends of [[0, 11], [-1, 5], [5, 4], [11], [2 ** 53]])
    throws(() => hash?.(LEAF, Buffer.alloc(10), ends), { name: 'RangeError' });
  equal(hash?.(LEAF, Buffer.alloc(10), []).length, 0);
});

function check(text: Buffer, ends: readonly number[]): void {
  for (const prefix of [LEAF, NODE] as const)
    deepEqual(hash?.(prefix, text, ends), hashParts(prefix, text, ends), JSON.stringify(ends));
}

function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}
