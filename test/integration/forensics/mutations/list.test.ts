import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, committed } from './choose.ts';

test('the list of mutations is the one that its seed gives', () => {
  assert.deepEqual(committed(), choose());
});
