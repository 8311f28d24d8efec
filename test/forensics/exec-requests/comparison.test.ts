import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { compareCommand } from '../../../forensics/exec-requests/comparison.ts';
import type { ExecRequest } from '../../../forensics/exec-requests/exec-request.ts';

function compare(command: ExecRequest['command'], ran: readonly string[], executable?: string) {
  const request: ExecRequest = {
    id: 'a',
    user: 'alice',
    namespace: 'shop',
    pod: 'cart-0',
    container: 'app',
    command,
    received: 0n,
    from: '',
    stage: 0,
    isRefused: false,
  };
  return compareCommand(request, ran, executable);
}

const CASES: readonly (readonly [
  what: string,
  command: readonly string[] | string,
  ran: readonly string[],
  isSame: boolean,
])[] = [
  ['the same words', ['ls', '-l'], ['ls', '-l'], true],
  ['fewer words', ['ls'], ['ls', '-l'], false],
  ['a backslash', ['a\\b'], ['a\\\\b'], true],
  ['a byte that is not UTF-8', ['a\ufffd'], ['a\\xff'], false],
  ['a secret', ['app', '--token=x1y2'], ['app', '--token=[redacted]'], true],
  ['another option', ['app', '--other=x1y2'], ['app', '--token=[redacted]'], false],
  ['a secret in the record', ['app', '--token=x1y2'], ['app', '--token=x1y2'], true],
  ['a secret that only the agent knew', ['app', 'x1', 'y'], ['app', '[redacted]', 'y'], true],
  ['two redacted parts', ['a1b2c'], ['a[redacted]b[redacted]c'], true],
  ['redacted parts in another order', ['a1c2b'], ['a[redacted]b[redacted]c'], false],
  ['a redacted part that overlaps', ['ab'], ['ab[redacted]b'], false],
  ['one text with the same words', 'ls -l', ['ls', '-l'], true],
  ['one text with a secret', 'app --token=x1y2 -v', ['app', '--token=[redacted]', '-v'], true],
  ['one text with other words', 'app --token=x1y2 -x', ['app', '--token=[redacted]', '-v'], false],
];

for (const [what, command, ran, isSame] of CASES)
  test(`a request's command and a record's are ${isSame ? 'the same' : 'not the same'}: ${what}`, () => {
    equal(compare(command, ran).isSame, isSame);
  });

test('the command of a request is shown as a record has it', () => {
  deepEqual(compare(['app', '--token', 'x1y2', 'a\\b'], ['id']).command, [
    'app',
    '--token',
    '[redacted]',
    'a\\\\b',
  ]);
  equal(compare('mysql -px1y2 shop', ['id']).command, 'mysql -p[redacted] shop');
  equal(compare(undefined, ['id']).command, undefined);
});

test('the executable of the record tells which command it is', () => {
  const { command, isSame } = compare(['db', '-px1y2'], ['db', '-p[redacted]'], '/usr/bin/mysql');
  deepEqual(command, ['db', '-p[redacted]']);
  equal(isSame, true);
});
