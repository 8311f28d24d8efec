import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweep } from './sweep.ts';
import { Bench } from './world.ts';

/** `make killpoints` tries them all. */
const STEP = 150;

test('a run that is killed before any of its calls, or whose power is cut, loses and doubles nothing', async () => {
  using bench = await Bench.create();
  const from = 1 + Math.floor(Math.random() * STEP);
  const points = await sweep(bench, { step: STEP, from, onPoint: () => {} });
  assert.ok(points.length > 6, `${points.length} points`);
  assert.deepEqual(
    points.filter(({ findings }) => findings.length > 0),
    [],
  );
});
