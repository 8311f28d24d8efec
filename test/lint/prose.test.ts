import { deepEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { lint } from '../../lint/prose/lint.ts';

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
