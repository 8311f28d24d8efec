import { deepEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsOf, type Question } from '../../../forensics/cluster/question.ts';

const NOW = Date.parse('2026-02-01T00:00:00Z');

const cases: readonly [Question, readonly string[]][] = [
  [{ id: '4a7107b4' }, ['--id=4a7107b4']],
  [{ since: '2h' }, ['--since=2026-01-31T22:00:00.000000000Z', '--neighbors']],
  [{ since: '2h', isExact: true }, ['--since=2026-01-31T22:00:00.000000000Z']],
  [
    { since: '2026-01-31', until: '2026-01-31T12:00:00+01:00' },
    [
      '--since=2026-01-31T00:00:00.000000000Z',
      '--until=2026-01-31T11:00:00.000000000Z',
      '--neighbors',
    ],
  ],
  [{ pod: 'cart-7d9f-x2x' }, ['--pod=cart-7d9f-x2x']],
  [{ pod: 'shop/cart' }, ['--pod=shop/cart']],
  [{ pod: 'cart', namespace: 'shop' }, ['--pod=shop/cart']],
  [{ pod: 'shop/cart', namespace: 'test' }, ['--pod=shop/cart']],
  // What an agent cannot match exactly, it is not asked for.
  [{ pod: 'cart', namespace: 'shop-*' }, ['--pod=cart']],
  [{ pod: 'shop-*/cart' }, ['--pod=cart']],
  [{ pod: 'cart-*' }, ['--neighbors']],
  [{ pod: 'shop/cart-?' }, ['--neighbors']],
  [{ pod: '/^cart-/' }, ['--neighbors']],
  [{ pod: '/cart/' }, ['--neighbors']],
  [{ namespace: 'shop' }, ['--neighbors']],
  // What the records of a pod come from may be elsewhere.
  [{ pod: 'shop/cart', trace: 'a'.repeat(32) }, ['--neighbors']],
  [{ pod: 'cart', kubernetesUser: 'alice', auditLog: 'audit.log' }, ['--neighbors']],
  [{ id: '4a7107b4', trace: 'a'.repeat(32) }, ['--id=4a7107b4']],
];

for (const [question, args] of cases)
  test(`agents are asked for ${JSON.stringify(question)}`, () => {
    deepEqual(argumentsOf(question, NOW), args);
  });

for (const id of ['4a7', 'cart-6d9c', '4a7107b4-031f-57dc-ad99-2026bc3be1a4f', ''])
  test(`${JSON.stringify(id)} is refused as an id before anybody is asked`, () => {
    throws(() => argumentsOf({ id }, NOW), /is not the id of a record/);
  });

test('an id is asked for as records have it', () => {
  deepEqual(argumentsOf({ id: '4A7107B4' }, NOW), ['--id=4a7107b4']);
});

test('a time that is none is refused before anybody is asked', () => {
  throws(() => argumentsOf({ since: 'yesterday' }, NOW), /"yesterday" is not a time/);
});
