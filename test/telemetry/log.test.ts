import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { createProblemTeller } from '../../agent/telemetry/log.ts';

test('a problem that comes again and again is told once, and another one beside it', () => {
  const told: string[] = [];
  const tell = createProblemTeller(({ message }) => told.push(message));
  for (const message of ['full', 'full', 'broken', 'full', 'broken']) tell(new Error(message));
  deepEqual(told, ['full', 'broken']);
});
