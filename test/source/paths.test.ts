import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absolutePath, locate, reachable } from '../../agent/source/paths.ts';

const ABSOLUTE: readonly [given: string, workingDirectory: string, expected: string][] = [
  ['/usr/bin/ls', '/tmp', '/usr/bin/ls'],
  ['/', '/tmp', '/'],
  ['//usr///bin//ls', '/tmp', '/usr/bin/ls'],
  ['/usr/./bin/./ls', '/tmp', '/usr/bin/ls'],
  ['/usr/bin/ls/.', '/tmp', '/usr/bin/ls'],
  ['/usr/bin/ls/', '/tmp', '/usr/bin/ls'],
  ['/./', '/tmp', '/'],
  ['/../../bin/ls', '/tmp', '/bin/ls'],
  ['/usr/../bin/ls', '/tmp', '/usr/../bin/ls'],
  ['/usr/..', '/tmp', '/usr/..'],
  ['/a/.//../b', '/tmp', '/a/../b'],
  ['/.hidden/x', '/tmp', '/.hidden/x'],
  ['/..hidden/x', '/tmp', '/..hidden/x'],
  ['/a/...', '/tmp', '/a/...'],
  ['ls', '/usr/bin', '/usr/bin/ls'],
  ['./ls', '/usr/bin', '/usr/bin/ls'],
  ['.//./ls', '/usr/bin', '/usr/bin/ls'],
  ['ls', '/', '/ls'],
  ['../ls', '/usr/bin', '/usr/ls'],
  ['./../ls', '/usr/bin', '/usr/ls'],
  ['.././../ls', '/usr/bin', '/ls'],
  ['../../../../ls', '/usr/bin', '/ls'],
  ['..', '/usr/bin', '/usr'],
  ['../..', '/usr/bin', '/'],
  ['a/../ls', '/usr/bin', '/usr/bin/a/../ls'],
  ['../a/../ls', '/usr/bin', '/usr/a/../ls'],
  ['..a/ls', '/usr/bin', '/usr/bin/..a/ls'],
  ['', '/usr/bin', '/usr/bin'],
  ['ls', '(unreachable)/srv/x', '(unreachable)/srv/x/ls'],
  ['../ls', '(unreachable)/srv/x', '(unreachable)/srv/ls'],
  ['../../../ls', '(unreachable)/srv/x', '(unreachable)/ls'],
  ['/bin/ls', '(unreachable)/srv/x', '/bin/ls'],
  ['a b/\\xff', '/c d', '/c d/a b/\\xff'],
];

for (const [given, workingDirectory, expected] of ABSOLUTE)
  test(`"${given}" in ${workingDirectory} is ${expected}`, () => {
    assert.equal(absolutePath(given, workingDirectory), expected);
  });

test('a path that begins above what is left of a cut working directory stays as it was given', () => {
  const cut = (given: string) => absolutePath(given, '/b/c', true);
  assert.deepEqual(['x', '../x', '../../x', '../../../x', '/x'].map(cut), [
    '/b/c/x',
    '/b/x',
    '../../x',
    '../../../x',
    '/x',
  ]);
  assert.equal(locate('/dev/fd/3/../../x', { path: '/b/c', isCut: true }, '/e'), '../../x');
});

const DESCRIPTORS: readonly [given: string, descriptor: string | undefined, expected: string][] = [
  ['/dev/fd/3', '/usr/bin/ls', '/usr/bin/ls'],
  ['/dev/fd/3', '/memfd:payload', '/memfd:payload'],
  ['/dev/fd/3', undefined, '/the/executable'],
  ['/dev/fd/10/bin/ls', '/srv/root', '/srv/root/bin/ls'],
  ['/dev/fd/10/../ls', '/srv/root', '/srv/ls'],
  ['/dev/fd/10/a/../ls', '/srv/root', '/srv/root/a/../ls'],
  ['/dev/fd/10/./ls', '(unreachable)/srv', '(unreachable)/srv/ls'],
];

for (const [given, descriptor, expected] of DESCRIPTORS)
  test(`${given} with ${descriptor ?? 'a closed descriptor'} is ${expected}`, () => {
    const at = descriptor === undefined ? undefined : { path: descriptor, isCut: false };
    assert.equal(locate(given, at, '/the/executable'), expected);
  });

test('a path outside the root is marked', () => {
  assert.equal(reachable('/srv/x', true), '(unreachable)/srv/x');
  assert.equal(reachable('/srv/x', false), '/srv/x');
});
