import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat } from '../../agent/print/format.ts';

test('a line that is no record reaches a terminal visible, and is one line', () => {
  const format = createFormat('text');
  equal(format('{"torn\u001b]0;owned\u0007\u202e\r'), '{"torn\\x1b]0;owned\\x07\\u{202e}\\x0d\n');
  equal(format('not a record\n'), 'not a record\n');
});

test('lines are left as they are for programs', () => {
  const format = createFormat('jsonl');
  equal(format('{"a":1}'), '{"a":1}\n');
  equal(format('{"a":1}\n'), '{"a":1}\n');
});
