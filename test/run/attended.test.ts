import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attended } from '../../agent/run/attended.ts';

test('the kernel side is shown an agent while work lasts, and no longer', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let touches = 0;
  const touch = () => {
    touches += 1;
    if (touches === 2) resolve('done');
  };
  assert.equal(await attended({ touch }, promise), 'done');
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout');
  assert.deepEqual(timers(), []);
});

test('an error of the work is that of the wait', async () => {
  await assert.rejects(attended({ touch() {} }, Promise.reject(new Error('x'))), /x/);
});
