import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { compareCommand } from '../../../forensics/exec-requests/comparison.ts';
import type { ExecRequest } from '../../../forensics/exec-requests/exec-request.ts';

function compare(
  command: ExecRequest['command'],
  args: readonly string[],
  executable?: string,
  isCut = false,
) {
  const request: ExecRequest = {
    id: 'a',
    ids: [],
    user: 'alice',
    username: 'alice',
    impersonated: undefined,
    namespace: 'shop',
    pod: 'cart-0',
    container: 'app',
    command,
    received: 0n,
    from: '',
    stage: 0,
    isRefused: false,
    hasBegun: false,
    isPermitted: false,
  };
  return compareCommand(request, { args, isCut, executable });
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

/** Arguments that were cut, which may be the beginning of the request's. */
const CUT: typeof CASES = [
  ['within a word', ['sh', '-c', 'echo abc'], ['sh', '-c', 'echo a'], true],
  ['after a word', ['sh', '-c', 'id'], ['sh', '-c'], true],
  ['before a word', ['sh', '-c', 'id'], ['sh', '-c', ''], true],
  ['within another word', ['sh', '-c', 'echo xbc'], ['sh', '-c', 'echo a'], false],
  ['after another word', ['sh', '-x', 'id'], ['sh', '-c'], false],
  ['within the first of two words', ['ab', 'c'], ['a', 'c'], false],
  ['after all words of the request', ['sh'], ['sh', '-c'], false],
  ['within a character', ['a', 'bäc'], ['a', 'b\\xc3'], true],
  ['within a backslash and what follows', ['a', 'b\\xc3d'], ['a', 'b\\\\xc3'], true],
  ['after a secret', ['app', '--token=x1y2', '-v'], ['app', '--token=[redacted]'], true],
  ['within a secret', ['app', '--token=x1y2'], ['app', '--token=x1'], true],
  ['within the name of a secret', ['app', '--token=x1y2'], ['app', '--tok'], true],
  ['within a token', ['app', `AKIA${'Q'.repeat(16)}`], ['app', 'AKIAQQ'], true],
  ['within another token', ['app', `AKIA${'Q'.repeat(16)}`], ['app', 'AKIAXX'], false],
  [
    'before a secret of another option',
    ['app', '--other=x1'],
    ['app', '--token=[redacted]'],
    false,
  ],
  ['within one text', 'sh -c echo abc', ['sh', '-c', 'echo a'], true],
  ['within another text', 'sh -c echo xbc', ['sh', '-c', 'echo a'], false],
];

for (const [what, command, ran, isSame] of CUT)
  test(`arguments that were cut ${what} ${isSame ? 'may be' : 'are not'} those of the request`, () => {
    equal(compare(command, ran, undefined, true).isSame, isSame);
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
