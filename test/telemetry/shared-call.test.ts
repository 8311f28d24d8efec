import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCall } from '../../agent/telemetry/shared-call.ts';

/** A function whose calls return their number, and wait until the test lets them. */
function counted() {
  const calls: PromiseWithResolvers<void>[] = [];
  const ask = sharedCall(async () => {
    const own = Promise.withResolvers<void>();
    calls.push(own);
    await own.promise;
    return calls.indexOf(own);
  });
  return { ask, calls };
}

/** Lets pending callbacks run. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('all who ask before a call begins share it, and who asks later gets a later one', async () => {
  const { ask, calls } = counted();
  const first = [ask(), ask()];
  await turn();
  equal(calls.length, 1);
  const second = [ask(), ask(), ask()];
  await turn();
  equal(calls.length, 1, 'calls do not overlap');
  calls[0]?.resolve();
  deepEqual(await Promise.all(first), [0, 0]);
  while (calls.length < 2) await turn();
  calls[1]?.resolve();
  deepEqual(await Promise.all(second), [1, 1, 1]);
});

test('who asks without end gets a tenth of the time', async () => {
  let busyMs = 0;
  const ask = sharedCall(async () => {
    const began = performance.now();
    while (performance.now() - began < 5);
    busyMs += performance.now() - began;
  });
  const began = performance.now();
  for (let n = 0; n < 20; n++) await ask();
  const ratio = busyMs / (performance.now() - began);
  ok(ratio < 0.2, `${ratio}`);
});

test('who asks seldom does not wait', async () => {
  const ask = sharedCall(async () => 'fine');
  equal(await ask(), 'fine');
});

test('a call that fails is followed by another one', async () => {
  let calls = 0;
  const ask = sharedCall(async () => {
    calls += 1;
    if (calls === 1) throw new Error('broken');
    return calls;
  });
  await rejects(ask(), /broken/);
  equal(await ask(), 2);
});
