import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../agent/config/schema.ts';
import type { RunEvent } from '../../agent/run/report.ts';
import { createCheckpointWriter } from '../../agent/run/session/checkpoint.ts';
import type { Session } from '../../agent/run/session/session.ts';
import { until } from '../support/until.ts';

/** A writer of checkpoints into a folder; `records` is what its session has recorded by now. */
function writerIn(t: TestContext) {
  const journalDir = mkdtempSync(join(tmpdir(), 'vcml-checkpoint-'));
  t.after(() => rmSync(journalDir, { recursive: true }));
  const events: RunEvent[] = [];
  const counts = { records: 0, gaps: {}, lost: 0 };
  const releases: number[] = [];
  const session = {
    hook: {
      state: 'attached',
      clock: Float64Array.of(5, 7, 0, 0, 0),
      statistics: () => ({ ringBytes: 1, usedBytes: 0 }),
      releaseMemory: () => releases.push(performance.now()),
    },
    journal: { position: { segment: 1, offset: 0 } },
    recorder: { kernelMisses: 7 },
    lineage: { losses: [], counts },
    lossLimit: { look: () => {} },
    enricher: { started: [] },
    nextSeq: [1],
  } as unknown as Session;
  const config = { journalDir, nodeName: 'node-1' } as Config;
  const writer = createCheckpointWriter(config, session, (event) => events.push(event));
  /** Notes that there is something to write, and waits until nothing is being written. */
  const note = async () => {
    const isDue = writer.note();
    await writer.close();
    return isDue;
  };
  const written = () => JSON.parse(readFileSync(join(journalDir, 'state.json'), 'utf8'));
  return { writer, note, counts, events, releases, written, journalDir };
}

test('a checkpoint is written at most every two seconds, and later notes are in the next one', async (t) => {
  const { writer, note, counts, written } = writerIn(t);
  const began = performance.now();
  await until('the first', note);
  assert.equal(written().kernelMisses, 7);
  assert.equal(written().attachedAt, '5000000007');
  counts.records = 1;
  assert.equal(writer.note(), false);
  await until('the second', () => {
    assert.equal(written().records, 0);
    return note();
  });
  assert.ok(performance.now() - began > 1900);
  assert.equal(written().records, 1);
});

test('free memory is given back with the first checkpoint, and not again with the next one', async (t) => {
  const { note, releases } = writerIn(t);
  await until('the first', note);
  await until('the second', note);
  assert.equal(releases.length, 1);
});

test('while nothing is recorded, a noted checkpoint is written when it is due', async (t) => {
  const { writer, note, counts, written } = writerIn(t);
  await until('the first', note);
  counts.records = 1;
  writer.note();
  writer.resume();
  assert.equal(written().records, 0);
  await until('its time', () => written().records === 1);
  counts.records = 2;
  writer.note();
  writer.resume();
  writer.pause();
  await pause(2100);
  assert.equal(written().records, 1, 'it records again: the next turn writes it');
});

test('the end is written at once, with the state of the hook', async (t) => {
  const { writer, note, written } = writerIn(t);
  await until('the first', note);
  await writer.end('detached');
  assert.deepEqual([written().hookState, written().detached], ['detached', true]);
});

test('a checkpoint that cannot be written is reported, and does not throw', async (t) => {
  const { writer, events, journalDir } = writerIn(t);
  mkdirSync(join(journalDir, 'state.json', 'inside'), { recursive: true });
  await writer.end('kept');
  assert.deepEqual(
    events.map(({ event }) => event),
    ['run.state_write_failed'],
  );
});
