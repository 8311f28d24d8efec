import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listSegmentsSync } from '../../../agent/journal/segment.ts';
import { createBed, ended, linesOf, startWriter } from '../../support/journal/bed.ts';
import { createFaults } from '../../support/journal/faults.ts';
import { numberedLine } from '../../support/journal/numbered-lines.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
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

for (const sync of ['interval', 'always'])
  test(`no segment is closed while it cannot be synced: ${sync}`, async (t) => {
    const { dir, faults, start } = startFaulty(t, { sync, pauseMs: 2, onError: 'retry' });
    const { child, said } = start();
    await until('segments', () => existsSync(dir) && listSegmentsSync(dir).length > 3);
    faults.now('sync EIO');
    await until('a refused batch', () => said().includes('cannot write'));
    const newest = listSegmentsSync(dir).at(-1)?.number;
    const before = complaints(said());
    await until('further refusals', () => complaints(said()) > before + 20);
    assert.equal(listSegmentsSync(dir).at(-1)?.number, newest);
    faults.now(undefined);
    await until(
      'another segment',
      () => (listSegmentsSync(dir).at(-1)?.number ?? 0) > (newest ?? 0) + 1,
    );
    child.kill('SIGKILL');
    await ended(child);
    const numbers = linesOf(dir).map((line) => JSON.parse(line).n);
    assert.deepEqual(
      numbers,
      numbers.map((_, n) => n),
    );
  });

test('with the policy never, a disk that cannot sync holds up neither a rotation nor a deletion', async (t) => {
  const options = { sync: 'never', pauseMs: 2, onError: 'retry', maxBytes: 8000 };
  const { dir, faults, start } = startFaulty(t, options);
  faults.now('sync EIO');
  const { child, said } = start();
  const first = () => (existsSync(dir) ? listSegmentsSync(dir)[0]?.number : undefined) ?? 0;
  await until('deletions', () => first() > 5);
  child.kill('SIGKILL');
  await ended(child);
  assert.match(said(), /\n!EIO: .*sync/);
  assert.doesNotMatch(said(), /cannot write/);
  const numbers = linesOf(dir).flatMap((line) => JSON.parse(line).n ?? []);
  assert.deepEqual(
    numbers,
    numbers.map((_, n) => n + numbers[0]),
  );
});

for (const sync of ['interval', 'never'])
  test(`a start continues where nothing can be synced, and says so: ${sync}`, async (t) => {
    const { dir, faults, start } = startFaulty(t, { sync, pauseMs: 2, onError: 'retry' });
    mkdirSync(dir, { mode: 0o700 });
    const lines = [numberedLine(0, ''), numberedLine(1, ''), numberedLine(2, '')];
    writeFileSync(join(dir, segmentName(1)), `${lines[0]}\n${lines[1]}\n{"torn`);
    writeFileSync(join(dir, segmentName(2)), `${lines[2]}\n`);
    faults.now('sync EIO');
    const { child, said } = start();
    await until('a line', () => said().includes('\n4\n'));
    child.kill('SIGKILL');
    await ended(child);
    assert.match(said(), /^!EIO: /);
    const numbers = linesOf(dir).flatMap((line) => JSON.parse(line).n ?? []);
    assert.deepEqual(numbers.slice(0, 5), [0, 1, 2, 3, 4]);
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
