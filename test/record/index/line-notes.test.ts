import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { LineNotes } from '../../../record/index/line-notes.ts';
import type { CausalRecord } from '../../../record/types.ts';
import { uuidOf } from '../../support/ids.ts';

test('notes that are cleared keep no resource in memory, and can be used again', () => {
  const notes = new LineNotes();
  const record = {
    id: uuidOf('01234567-89ab-8cde-8f01-23456789abcd'),
    action: 'exec',
    parentCause: null,
  } as CausalRecord;
  const line = Buffer.alloc(200, '0');
  for (let n = 0; n < 3000; n++) notes.add(record, `{"n":"${n}"}`, line, 0, line.length);
  equal(notes.count, 3000);
  notes.clear();
  equal(notes.resources.length, 0);
  notes.add(record, '{"n":"new"}', line, 0, line.length);
  equal(notes.count, 1);
  deepEqual(notes.resources, ['{"n":"new"}']);
});
