import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { listSegments } from '../../../agent/journal/segment.ts';
import { createBed, ended, linesOf, startWriter } from '../../support/journal/bed.ts';
import { createFaults } from '../../support/journal/faults.ts';
import { until } from '../../support/until.ts';
import { readTrace } from './disk-model.ts';

/** A process that writes while syncs may fail. */
function startFaulty(t: TestContext, options: object) {
  const { root, dir } = createBed(t);
  const faults = createFaults(root, dir, true);
  const sizes = { lines: 1e9, batch: 1, padding: 60, segmentMaxBytes: 1500 };
  const start = () => {
    const writer = startWriter(dir, { ...sizes, ...options }, faults.env);
    t.after(() => writer.child.kill('SIGKILL'));
    return writer;
  };
  return { dir, faults, start };
}

const complaints = (said: string) => said.split('\n!').length;

test('no segment is closed while it cannot be synced, whatever the policy', async (t) => {
  const { dir, faults, start } = startFaulty(t, { sync: 'never', pauseMs: 2, onError: 'retry' });
  const { child, said } = start();
  await until('segments', () => existsSync(dir) && listSegments(dir).length > 3);
  faults.now('sync EIO');
  await until('a refused batch', () => said().includes('cannot write'));
  const newest = listSegments(dir).at(-1)?.number;
  const before = complaints(said());
  await until('further refusals', () => complaints(said()) > before + 20);
  assert.equal(listSegments(dir).at(-1)?.number, newest);
  faults.now(undefined);
  await until('another segment', () => (listSegments(dir).at(-1)?.number ?? 0) > (newest ?? 0) + 1);
  child.kill('SIGKILL');
  await ended(child);
  const numbers = linesOf(dir).map((line) => JSON.parse(line).n);
  assert.deepEqual(
    numbers,
    numbers.map((_, n) => n),
  );
});

test('a sync that failed is tried again, although nothing more is written', async (t) => {
  const options = { sync: 'interval', syncIntervalMs: 20, segmentMaxBytes: 1e9, onError: 'rest' };
  const { dir, faults, start } = startFaulty(t, { ...options, pauseMs: 5 });
  const { said } = start();
  await until('lines', () => said().includes('3\n'));
  faults.now('sync EIO');
  await until('the failure', () => said().includes('!'));
  const syncs = () => readTrace(faults.trace, dir).filter(({ kind }) => kind === 'sync').length;
  const before = syncs();
  faults.now(undefined);
  await until('a sync', () => syncs() > before);
});
