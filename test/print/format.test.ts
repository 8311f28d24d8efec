import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat } from '../../agent/print/format.ts';

test('a line that is not a record is shown on one line with visible characters', () => {
  const format = createFormat('text');
  equal(format('{"torn\u001b]0;owned\u0007\u202e\r'), '{"torn\\x1b]0;owned\\x07\\u{202e}\\x0d\n');
  equal(format('not a record\n'), 'not a record\n');
});

test('lines for programs stay unchanged', () => {
  const format = createFormat('jsonl');
  equal(format('{"a":1}'), '{"a":1}\n');
  equal(format('{"a":1}\n'), '{"a":1}\n');
});
