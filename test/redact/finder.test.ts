import { deepEqual, throws } from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { createFinder } from '../../redact/finder.ts';

function findAll(keywords: readonly string[], text: string): [end: number, keyword: string][] {
  const finder = createFinder(keywords.map((keyword) => [keyword, keyword] as const));
  const all: [number, string][] = [];
  for (let state = finder.find(text, 0, 0); state >= 0; state = finder.find(text, finder.at, state))
    for (const keyword of finder.found(state)) all.push([finder.at, keyword]);
  return all;
}

/** The same, looked for at every place. */
function searchAll(keywords: readonly string[], text: string): [end: number, keyword: string][] {
  const longestFirst = keywords.toSorted((a, b) => b.length - a.length);
  return Array.from({ length: text.length + 1 }, (_, end) => end).flatMap((end) =>
    longestFirst
      .filter((keyword) => text.slice(0, end).toLowerCase().endsWith(keyword))
      .map((keyword): [number, string] => [end, keyword]),
  );
}

test('keywords are found in any case, within and across each other', () => {
  deepEqual(findAll(['pass', 'sshpass', 'ss', '://'], 'x SSHPass ://é'), [
    [4, 'ss'],
    [9, 'sshpass'],
    [9, 'pass'],
    [9, 'ss'],
    [13, '://'],
  ]);
});

test('a character beyond ASCII is none of a keyword, even if its low bits are', () => {
  deepEqual(findAll(['ab'], 'a\u0162b \u0161b \u212ab a\uff42'), []);
});

test('what is found is what a search at every place finds', () => {
  const word = (letters: string, length: number) =>
    Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
  for (let round = 0; round < 3000; round++) {
    const keywords = [
      ...new Set(Array.from({ length: 1 + randomInt(6) }, () => word('ab-', 1 + randomInt(5)))),
    ];
    const text = word('abAB-x', randomInt(40));
    deepEqual(findAll(keywords, text), searchAll(keywords, text), `${keywords} in ${text}`);
  }
});

test('more characters than the table has columns are refused', () => {
  throws(() => createFinder([['é', 1]]), RangeError);
});
