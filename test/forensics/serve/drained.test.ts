import { rejects } from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { drained } from '../../../forensics/serve/answers/drained.ts';

const LONG_MS = 600_000;
const never = new AbortController().signal;

function full(): PassThrough {
  const stream = new PassThrough({ highWaterMark: 1 });
  stream.write('more than it takes');
  return stream;
}

test('a stream that somebody reads drains', async () => {
  const stream = full();
  const waiting = drained(stream, LONG_MS, never);
  stream.resume();
  await waiting;
});

test('a stream that nobody reads is given up', async () => {
  const isIdle = ({ cause }: Error) => /nobody reads/.test(`${cause}`);
  await rejects(drained(full(), 1, never), isIdle);
});

test('a signal ends the waiting', async () => {
  const gone = new AbortController();
  const waiting = drained(full(), LONG_MS, gone.signal);
  gone.abort();
  await rejects(waiting, { name: 'AbortError' });
});
