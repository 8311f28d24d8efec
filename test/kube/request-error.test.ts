import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../agent/kube/request-error.ts';

const ERRORS: readonly (readonly [thrown: unknown, message: string, status?: number])[] = [
  [new Error('connect ECONNREFUSED 127.0.0.1:6443'), 'connect ECONNREFUSED 127.0.0.1:6443'],
  [
    Object.assign(new AggregateError([new Error('one'), new Error('two')]), {
      code: 'ECONNREFUSED',
    }),
    'ECONNREFUSED',
  ],
  [
    { kind: 'Status', code: 410, message: 'too old resource version' },
    'HTTP 410: too old resource version',
    410,
  ],
  ['thrown', 'thrown'],
  [undefined, 'undefined'],
];

for (const [thrown, message, status] of ERRORS)
  test(`an error of a request is one line: ${message}`, () => {
    const error = RequestError.of(thrown);
    equal(error.message, message);
    equal(error.statusCode, status);
    equal(RequestError.of(error), error);
  });

test('a refusal has its status', () => {
  const error = RequestError.refusal(403, { message: 'pods is forbidden' });
  equal(error.message, 'HTTP 403: pods is forbidden');
  equal(error.statusCode, 403);
});
