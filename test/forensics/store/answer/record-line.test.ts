import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf } from '../../../../forensics/store/answer/record-line.ts';
import { isRecord } from '../../../../record/read.ts';

const row = {
  id: '4a7107b4-031f-57dc-ad99-2026bc3be1a4',
  node: 'node-1',
  timestamp: '1764001000000000010',
  action: 'exec',
  object: '/usr/bin/x',
  permitted_by: 'unobserved_parent',
  parent_cause: null,
};

for (const [what, raw, isList] of [
  ['a list of strings', '["a","b"]', true],
  ['a list within a list', '[["a"]]', false],
  ['lists that are nested deeper than a record may be', '['.repeat(80) + ']'.repeat(80), false],
  ['lists that are nested deeper than the stack', '['.repeat(90_000) + ']'.repeat(90_000), false],
  ['half of a surrogate pair', '["\\ud800"]', false],
] as const)
  test(`the line of a row is a record, with ${what} in the place of a list`, () => {
    const attributes = { 'process.command_args': raw };
    const resource = JSON.stringify({ 'container.image.tags': raw });
    const line = lineOf({ ...row, attributes, resource_json: resource });
    equal(isRecord(line), true);
    const read = JSON.parse(line);
    for (const value of [
      read.attributes['process.command_args'],
      read.resource['container.image.tags'],
    ])
      equal(Array.isArray(value) ? JSON.stringify(value) : value, raw);
    equal(Array.isArray(read.attributes['process.command_args']), isList);
  });
