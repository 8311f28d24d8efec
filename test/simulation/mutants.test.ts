import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';
import { mutated } from './mutants/mutant.ts';
import { MUTANTS } from './mutants/mutants.ts';

test('there are 67 planted faults, each with a name of its own', () => {
  assert.equal(MUTANTS.length, 67);
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, 67);
});

for (const mutant of MUTANTS)
  test(`the fault still applies to ${mutant.file}: ${mutant.name}`, () => {
    const text = mutated(readFileSync(join(ROOT, mutant.file), 'utf8'), mutant);
    assert.notEqual(mutant.after, mutant.before);
    stripTypeScriptTypes(text);
  });

test('a fault whose text is not there, or is there twice, does not apply', () => {
  const mutant = { name: 'n', file: 'f.ts', before: 'a', after: 'b', why: 'w' };
  assert.equal(mutated('xax', mutant), 'xbx');
  assert.throws(() => mutated('xx', mutant), /n: f\.ts has the text 0 times/);
  assert.throws(() => mutated('axa', mutant), /n: f\.ts has the text 2 times/);
});
