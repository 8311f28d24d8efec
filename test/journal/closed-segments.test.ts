import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClosedSegments } from '../../agent/journal/archive/closed-segments.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { type CleanUp, temporaryFolder } from '../support/temporary-folder.ts';

const MINUTE_MS = 60_000;
/** More than are listed for every look. */
const MANY = 100;

/** A folder with segments of one byte; the last one is open. */
async function bedOf(t: CleanUp, count: number) {
  const dir = temporaryFolder(t);
  const put = (number: number, text = 'x') =>
    writeFileSync(join(dir, segmentName(number)), text, { mode: 0o600 });
  for (let number = 1; number <= count; number += 1) put(number);
  const clock = { now: 0 };
  const segments = new ClosedSegments(dir, () => clock.now, count);
  await segments.look();
  const remove = (number: number) => rmSync(join(dir, segmentName(number)));
  const numbers = () => segments.all.map(({ number }) => number);
  return { segments, clock, put, remove, numbers };
}

test('all but the open segment are known, with what they take', async (t) => {
  const { segments, numbers } = await bedOf(t, 3);
  assert.deepEqual(numbers(), [1, 2]);
  assert.equal(segments.bytes, 2);
});

test('a segment that is closed, measured or deleted changes the sum', async (t) => {
  const { segments, put, numbers } = await bedOf(t, 3);
  put(3, 'xyz');
  segments.close(3, 4);
  assert.equal(segments.bytes, 5);
  await segments.measure(3);
  assert.equal(segments.bytes, 2, 'its compressed form is not there');
  segments.forget(1);
  assert.deepEqual(numbers(), [2, 3]);
  assert.equal(segments.bytes, 1);
});

test('what others remove from a small journal is noticed at once', async (t) => {
  const { segments, remove, numbers } = await bedOf(t, 3);
  remove(1);
  await segments.look();
  assert.deepEqual(numbers(), [2]);
});

test('what others remove from a large journal is noticed after ten minutes', async (t) => {
  const { segments, clock, remove, numbers } = await bedOf(t, MANY);
  remove(1);
  clock.now = 9 * MINUTE_MS;
  await segments.look();
  assert.equal(numbers().length, MANY - 1);
  clock.now = 11 * MINUTE_MS;
  await segments.look();
  assert.equal(numbers().length, MANY - 2);
  assert.equal(segments.bytes, MANY - 2);
});

test('a segment that is closed during a look is known once', async (t) => {
  for (const isListed of [true, false]) {
    const { segments, put, numbers } = await bedOf(t, 3);
    if (isListed) put(4);
    const look = segments.look();
    segments.close(1, 4);
    await look;
    assert.deepEqual(numbers(), [1, 2, 3]);
  }
});
