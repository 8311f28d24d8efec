import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecentLines } from '../../agent/export/read/recent-lines.ts';
import { execLine } from '../support/journal/lines.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { until } from '../support/until.ts';

const START = { segment: 1, offset: 0 };

/** Pushes a line, and returns the position after it. */
function push(recent: RecentLines, offset: number, text: string, settled?: Promise<void>) {
  const line = Buffer.from(`${text}\n`);
  const end = { segment: 1, offset: offset + line.length };
  recent.push(line, line.length, end, settled);
  return end;
}

test('a checkpoint and what follows it wait until it is on disk', async () => {
  const recent = new RecentLines(START, 1 << 20);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = push(recent, 0, 'first');
  const held = push(recent, first.offset, 'checkpoint', promise);
  const last = push(recent, held.offset, 'last');
  assert.equal(recent.take(START)?.bytes.toString(), 'first\n');
  assert.ok(recent.isEnd(first));
  assert.equal(recent.take(first), undefined);
  assert.deepEqual(recent.end, first);
  assert.ok(recent.isBeyond(last));

  const news = recent.news(recent.pushes, new AbortController().signal);
  resolve();
  await news;
  assert.equal(recent.take(first)?.bytes.toString(), 'checkpoint\n');
  assert.equal(recent.take(held)?.bytes.toString(), 'last\n');
  assert.ok(recent.isEnd(last));
});

test('each of several checkpoints waits for its own', async () => {
  const recent = new RecentLines(START, 1 << 20);
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = push(recent, 0, 'one', one.promise);
  const second = push(recent, first.offset, 'two', two.promise);
  one.resolve();
  await one.promise.finally(() => {});
  await Promise.resolve();
  assert.equal(recent.take(START)?.bytes.toString(), 'one\n');
  assert.equal(recent.take(first), undefined);
  two.resolve();
  await two.promise.finally(() => {});
  await Promise.resolve();
  assert.equal(recent.take(first)?.bytes.toString(), 'two\n');
  assert.ok(recent.isEnd(second));
});

test('a checkpoint that waits is no record to try a collector with', () => {
  const recent = new RecentLines(START, 1 << 20);
  const first = push(recent, 0, 'first');
  push(recent, first.offset, 'checkpoint', new Promise(() => {}));
  assert.equal(recent.newest?.bytes.toString(), 'first\n');
});

describe('the end of an export', () => {
  /** Exports a line, writes a checkpoint that waits for `settled`, and ends the export. */
  async function ended(t: TestContext, settled: Promise<void>, graceMs: number) {
    const bed = await createExportBed(t);
    const collector = await bed.collect();
    const running = bed.start(collector.port);
    await bed.write(execLine(0));
    const line = Buffer.from(`${execLine(1)}\n`);
    await bed.journal.append(line, line.length);
    running.push(line, line.length, bed.journal.position, settled);
    await until('the first line', () => collector.lines.length > 0);
    await bed.stop(graceMs);
    return { sent: collector.lines, log: bed.log };
  }

  test('waits for a checkpoint that is nearly on disk', async (t) => {
    const { sent, log } = await ended(t, sleep(50), 5000);
    assert.deepEqual(sent, [execLine(0), execLine(1)]);
    assert.deepEqual(log, []);
  });

  test('does not wait longer than its grace, and says that something is left', async (t) => {
    const { sent, log } = await ended(t, new Promise(() => {}), 50);
    assert.deepEqual(sent, [execLine(0)]);
    assert.match(log.join(), /export\.unfinished/);
  });
});
