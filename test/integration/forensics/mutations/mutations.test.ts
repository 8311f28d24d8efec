import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Folder } from '../../../support/forensics.ts';
import { committed } from './choose.ts';
import { JOURNALS, KINDS } from './kinds.ts';
import { mutated } from './mutate.ts';
import { codesOf, verdicts } from './run.ts';

const folder = new Folder();
after(() => folder.close());

test('the journals are sound before they are changed', async () => {
  for (const name of JOURNALS) assert.deepEqual(await codesOf(folder, mutated(name)), []);
});

/** The number of mutations that are found of each kind, as the documentation says. */
const documented = new Map(
  Array.from(
    readFileSync('docs/forensics.md', 'utf8').matchAll(
      /^\| `([a-z-]+)` \|.*\| (\d+) of (\d+) \|/gm,
    ),
    ([, kind = '', found, all]) => [kind, { found: Number(found), all: Number(all) }],
  ),
);

test('the documentation has every kind of change', () => {
  assert.deepEqual([...documented.keys()], Object.keys(KINDS));
});

test('the first change of each kind is found or not, as the documentation says', async () => {
  const list = committed();
  const firsts = Object.keys(KINDS).flatMap((kind) => list.find((one) => one.kind === kind) ?? []);
  for await (const { mutation, codes } of verdicts(firsts)) {
    const { found = 0, all = 0 } = documented.get(mutation.kind) ?? {};
    if (found === all) assert.notDeepEqual(codes, [], mutation.kind);
    else if (found === 0) assert.deepEqual(codes, [], mutation.kind);
  }
});
