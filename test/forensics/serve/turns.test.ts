import { deepEqual, equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../forensics/serve/turns.ts';

const never = new AbortController().signal;

test('as many questions as allowed run at once, and the others in the order in which they came', async () => {
  const turns = new Turns(2, 3);
  const began: number[] = [];
  const gates = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<void>());
  const all = gates.map((gate, n) =>
    turns.take(never, () => {
      began.push(n);
      return gate.promise;
    }),
  );
  deepEqual(began, [0, 1]);
  gates[1]?.resolve();
  await all[1];
  await new Promise(setImmediate);
  deepEqual(began, [0, 1, 2]);
  for (const { resolve } of gates) resolve();
  await Promise.all(all);
  deepEqual(began, [0, 1, 2, 3, 4]);
});

test('a question beyond those that may wait is refused, with the time to ask again', async () => {
  const turns = new Turns(1, 1);
  const gate = Promise.withResolvers<void>();
  const running = turns.take(never, () => gate.promise);
  const waiting = turns.take(never, async () => {});
  await rejects(
    turns.take(never, async () => {}),
    { status: 503, headers: { 'retry-after': '1' }, message: /ask again in a moment/ },
  );
  gate.resolve();
  await Promise.all([running, waiting]);
  await turns.take(never, async () => {});
});

test('whoever leaves while waiting gives up the turn', async () => {
  const turns = new Turns(1, 1);
  const gate = Promise.withResolvers<void>();
  const running = turns.take(never, () => gate.promise);
  const gone = new AbortController();
  let hasRun = false;
  const left = turns.take(gone.signal, async () => {
    hasRun = true;
  });
  gone.abort(new Error('gone'));
  await rejects(left, /gone/);
  const next = turns.take(never, async () => {});
  gate.resolve();
  await Promise.all([running, next]);
  equal(hasRun, false);
});

test('a question that fails gives its turn to the next one', async () => {
  const turns = new Turns(1, 1);
  const failing = turns.take(never, () => Promise.reject(new Error('failed')));
  const next = turns.take(never, async () => {});
  await rejects(failing, /failed/);
  await next;
  await turns.ended();
});
