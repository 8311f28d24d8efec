import { deepEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { lint } from '../../lint/prose/lint.ts';
import { lintSource } from '../../lint/prose/lint-source.ts';

const PAGE = join(import.meta.dirname, 'page.md');

test('plain English passes, and code is not checked', async () => {
  const text =
    '# Title\n\n**Look.** The agent reads `/proc`; [links](../e2e/README.md) work:\n\n    it goes\n';
  deepEqual(await lint(text, PAGE), []);
});

test('a sentence without a verb is refused', async () => {
  deepEqual(await lint('The agent reads.\nNo exit records, no alerts.\n', PAGE), [
    '2: a sentence without a verb: No exit records, no alerts.',
  ]);
});

test('a sentence of more than 35 words is refused', async () => {
  deepEqual(await lint(`The agent reads ${'more and '.repeat(17)}more.\n`, PAGE), [
    '1: 38 words in one sentence: make two of it',
  ]);
});

test('a word that the documents avoid is refused, in a table too', async () => {
  deepEqual(await lint('| it goes |\n|---|\n| kubernetes |\n', PAGE), [
    '1: Incorrect term: “goes”, use “a verb that says what happens” instead',
    '3: Incorrect term: “kubernetes”, use “Kubernetes” instead',
  ]);
});

test('a link to a file or a heading that does not exist is refused', async () => {
  const text = 'Read [one](none.md) and [another](../e2e/README.md#none).\n';
  deepEqual(await lint(text, PAGE), [
    `1: there is no ${join(import.meta.dirname, 'none.md')}`,
    `1: there is no heading #none in ${join(import.meta.dirname, '../e2e/README.md')}`,
  ]);
});

test('a test that does not exist is refused', async () => {
  const named = '`test/lint/prose.test.ts`, `documents.test.ts`, `test/lint/`, `test/<room>/`';
  deepEqual(await lint(`The tests ${named} hold it.\n`, PAGE), []);
  const lacking = '`test/lint/none.test.ts`, `other.test.ts` or `test/none/`';
  deepEqual(await lint(`No ${lacking} exists.\n`, PAGE), [
    '1: there is no test/lint/none.test.ts',
    '1: there is no test/lint/other.test.ts',
    '1: there is no test/none/',
  ]);
});

test('a word to avoid is refused in comments and in titles of tests', () => {
  const source = [
    '/**',
    ' * A page, of',
    ' * which two are read.',
    ' */',
    'const rest = 1; // it goes',
    "test('the end is told', () => {});",
    'int a; /* in vain */',
  ];
  deepEqual(lintSource(source.join('\n')), [
    '1: “of which”: write whose, or a second sentence instead',
    '5: “goes”: write a verb that says what happens instead',
    '7: “in vain”: write without a result instead',
    '6: “told”: write said, named or reported instead',
  ]);
});

test('code, and code in titles, is not checked for words', () => {
  const source = [
    'const told = "it goes"; // fine',
    `test(\`a \${told ? 1 : 2} b\`, () => {});`,
    'b = a * told;',
  ];
  deepEqual(lintSource(source.join('\n')), []);
});
