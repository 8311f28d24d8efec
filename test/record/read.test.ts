import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRecord, readRecord } from '../../record/read.ts';
import { NOT_RECORDS, RECORDS } from '../support/odd-lines.ts';

test('a line is a record if every reader of JSON sees the same object with an id in it', () => {
  for (const [what, line] of RECORDS) {
    assert.equal(isRecord(line), true, what);
    assert.equal(readRecord(line)?.id, JSON.parse(line).id, what);
  }
  for (const [what, line] of NOT_RECORDS) {
    assert.equal(isRecord(line), false, what);
    assert.equal(readRecord(line), undefined, what);
  }
});
