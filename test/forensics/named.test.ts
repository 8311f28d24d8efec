import { deepEqual, equal, throws } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../agent/config/load.ts';
import { DEFAULT_JOURNAL, namedInputs, splitId } from '../../forensics/inputs/named.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const there = temporaryFolder();
const missing = join(there, 'missing');

test('without inputs the journal of this node is read, if there is one', () => {
  deepEqual(namedInputs([], there), [there]);
  deepEqual(namedInputs(['a', 'b'], there), ['a', 'b']);
  throws(() => namedInputs([], missing), { exitCode: 64, message: /name the files .*missing/ });
});

test('a first word that is no file is an id', () => {
  deepEqual(splitId(undefined, ['4a7107b4', there], missing), ['4a7107b4', [there]]);
  deepEqual(splitId(undefined, ['4a7107b4'], there), ['4a7107b4', []]);
  for (const inputs of [['4a7107b4'], [there], ['-'], ['nodes/*', 'b'], []])
    deepEqual(splitId(undefined, inputs, missing), [undefined, inputs]);
  deepEqual(splitId('4a7107b4', ['x', 'y'], there), ['4a7107b4', ['x', 'y']]);
});

test('the journal of this node is where the agent writes it by default', async () => {
  const { config } = await loadConfig({ flags: {}, env: {}, file: undefined });
  equal(DEFAULT_JOURNAL, config.journalDir);
});
