import { deepEqual, equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { Memory } from '../../../forensics/serve/memory.ts';
import { Readings } from '../../../forensics/serve/readings.ts';

const auditLogFor = () => Promise.reject(new Error('nobody asks'));

/** A memory whose name and end are all that matters here. */
function readingOf(name: string, ends: string[]) {
  const memory = { name, [Symbol.asyncDispose]: async () => void ends.push(name) };
  return { memory: memory as unknown as Memory, auditLogFor };
}

test('a question ends with the reading that it began with, which is closed behind the last one', async () => {
  const ends: string[] = [];
  const readings = new Readings(readingOf('first', ends), async () => readingOf('second', ends));
  const gates = [0, 1].map(() => Promise.withResolvers<void>());
  const asked = gates.map(({ promise }) =>
    readings.use(async ({ memory }) => {
      await promise;
      return memory;
    }),
  );
  await readings.again();
  deepEqual(ends, []);
  const next = await readings.use(async ({ memory }) => memory);
  gates[0]?.resolve();
  await asked[0];
  deepEqual(ends, []);
  gates[1]?.resolve();
  deepEqual(ends, []);
  equal((await asked[1]) === next, false);
  deepEqual(ends, ['first']);
  await readings[Symbol.asyncDispose]();
  deepEqual(ends, ['first', 'second']);
});

test('inputs are read once for all who ask meanwhile, and a failure changes nothing', async () => {
  const ends: string[] = [];
  const gate = Promise.withResolvers<void>();
  let count = 0;
  const readings = new Readings(readingOf('first', ends), async () => {
    count += 1;
    await gate.promise;
    throw new Error('no such file');
  });
  const both = [readings.again(), readings.again()];
  equal(readings.isReading, true);
  gate.resolve();
  for (const one of both) await rejects(one, /no such file/);
  deepEqual([count, ends, readings.isReading], [1, [], false]);
  await rejects(readings.again(), /no such file/);
  equal(count, 2);
});
