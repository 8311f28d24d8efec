import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact } from '../../record/exact-json.ts';
import { commandLine, plain, shortened, visible, visibleJson, word } from '../../record/visible.ts';

const TEXTS: readonly (readonly [given: string, shown: string])[] = [
  ['plain ~ text', 'plain ~ text'],
  ['\x1b[31m', '\\x1b[31m'],
  ['a\nb\tc', 'a\\nb\\tc'],
  ['\u202egpj.exe', '\\u{202e}gpj.exe'],
  ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
  ['\u0085\u2028\u2029', '\\u{85}\\u{2028}\\u{2029}'],
  ['\u200bzero', '\\u{200b}zero'],
  ['\u00a0', '\\u{a0}'],
  ['\ud800', '\\u{d800}'],
  ['\u{e0041}', '\\u{e0041}'],
  ['žluťoučký 漢字 😀', 'žluťoučký 漢字 😀'],
];

for (const [given, shown] of TEXTS)
  test(`${JSON.stringify(given)} is shown as ${shown}`, () => equal(visible(given), shown));

test('JSON with only visible characters stays the same', () => {
  const json = '{"a":"\u202e\u{e0041}\u2028x","n":9007199254740993}';
  const shown = visibleJson(json);
  equal(shown, '{"a":"\\u202e\\udb40\\udc41\\u2028x","n":9007199254740993}');
  deepEqual(parseExact(shown), parseExact(json));
  equal(visibleJson('{\n\t"é":1\r}'), '{  "é":1 }');
});

test('arguments are quoted as a shell needs them', () => {
  equal(commandLine(['sh', '-c', 'a b', '', "it's"]), "sh -c 'a b' '' 'it'\\''s'");
  equal(word('a\u001bb'), "'a\\x1bb'");
});

test('a text is cut between characters', () => {
  equal(shortened('four', 4), 'four');
  equal(shortened('fives', 4), 'five…');
  equal(shortened('abc😀', 4, ' …'), 'abc …');
});

const VALUES: readonly (readonly [given: unknown, text: string])[] = [
  ['text', 'text'],
  [7, '7'],
  [9_007_199_254_740_993n, '9007199254740993'],
  [[1n, 'a'], '["1","a"]'],
  [{ toString: 1 }, '{"toString":1}'],
  [undefined, ''],
];

for (const [given, text] of VALUES)
  test(`a value of any type has a text: ${text}`, () => equal(plain(given), text));
