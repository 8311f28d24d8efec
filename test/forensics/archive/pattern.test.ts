import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyPattern } from '../../../forensics/archive/pattern.ts';

const CASES: readonly (readonly [
  pattern: string,
  matching: readonly string[],
  others: readonly string[],
])[] = [
  ['', ['a', 'a/b', '..', '/', 'a//b'], []],
  ['a', ['a', 'a/b', 'a/..', 'a//'], ['ab', 'b/a']],
  ['a/', ['a/b', 'a/b/c'], ['a', 'ab']],
  ['a/**', ['a/b', 'a/b/c', 'a/..', 'a/.hidden', 'a/\n'], ['a', 'ab/c']],
  ['**/x.jsonl', ['x.jsonl', 'a/x.jsonl', 'a/b/x.jsonl', '../x.jsonl'], ['ax.jsonl', 'x.json']],
  ['a/**/c', ['a/c', 'a/b/c', 'a/b/b/c/d'], ['a/bc', 'ac']],
  ['a/*', ['a/b', 'a/b/c', 'a/😀', 'a/\n'], ['a', 'b/a']],
  ['a/?', ['a/b', 'a/😀', 'a/b/c'], ['a/bc']],
  ['node-[0-3]', ['node-1/x', 'node-3'], ['node-4', 'node-13']],
  ['node-[!0-3]', ['node-4', 'node-]'], ['node-1', 'node-/x']],
  ['a.{json,jsonl}', ['a.json', 'a.jsonl'], ['axjson', 'a.jsonx']],
  ['{a,b/c}/*.json', ['a/x.json', 'b/c/x.json'], ['b/x.json']],
  ['a(b)+|c$*', ['a(b)+|c$', 'a(b)+|c$d'], ['abc', 'a']],
  ['[x]/{y,z}*', ['[x]/{y,z}*', 'x/y', 'x/zz'], ['[x]/y']],
  ['a[', ['a['], ['a', 'ab']],
];

describe('a pattern of keys', () => {
  for (const [pattern, matching, others] of CASES)
    test(`${pattern === '' ? 'nothing' : pattern}`, () => {
      const { matches, prefixes, exact } = keyPattern(pattern);
      for (const key of matching) equal(matches(key), true, key);
      for (const key of others) equal(matches(key), false, key);
      for (const key of matching)
        equal(key === exact || prefixes.some((prefix) => key.startsWith(prefix)), true, key);
    });

  test('that cannot be read is refused', () => {
    throws(() => keyPattern('a[z-a]'), /a\[z-a\] is no glob/);
  });

  test('lists no more than the part before the first wildcard', () => {
    deepEqual(keyPattern('a/b-*/c').prefixes, ['a/b-']);
    deepEqual(keyPattern('a/node-1').prefixes, ['a/node-1/']);
    equal(keyPattern('a/node-1').exact, 'a/node-1');
  });
});
