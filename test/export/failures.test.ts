import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { parseEndpoint } from '../../agent/export/connect/endpoint.ts';
import { GrpcTransport } from '../../agent/export/connect/grpc-transport.ts';
import { outcomeOf } from '../../agent/export/send/outcome.ts';
import { readLines } from '../../agent/journal/read.ts';
import { execLine, execLines, sameLines } from '../support/journal/lines.ts';
import type { Answer } from '../support/otlp/collector.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { REFUSAL_CODES } from '../support/otlp/refusal-codes.ts';
import { until } from '../support/until.ts';
import { startProxy } from './proxy.ts';

const NO_CREDENTIALS = { authorities: undefined, chain: undefined, key: undefined, headers: {} };

const lettersOf = (dir: string) =>
  readFileSync(join(dir, 'dead-letters.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((letter) => JSON.parse(letter));

/** Fails this many calls at first. */
const failing =
  (calls: number, code: number, more: Partial<Extract<Answer, { kind: 'fail' }>> = {}) =>
  (_: readonly string[], call: number): Answer =>
    call < calls ? { kind: 'fail', code, ...more } : { kind: 'accept' };

const WAITING = [
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
];
const DENIED = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNIMPLEMENTED', 'NOT_FOUND'];

test('the table has every gRPC code', async () => {
  const codes = Object.keys(status).filter((name) => name !== 'OK' && Number.isNaN(Number(name)));
  deepEqual([...WAITING, ...DENIED, ...REFUSAL_CODES].sort(), codes.sort());
});

for (const name of [...WAITING, ...DENIED])
  test(`${name}: the same batch is retried until it is accepted, and this is logged once`, async (t) => {
    const bed = await createExportBed(t);
    const code = status[name as keyof typeof status];
    const collector = await bed.collect({ answer: failing(3, code) });
    const { statistics } = bed.start(collector.port);
    await bed.write(...execLines(0, 5));
    await until('all lines', () => collector.lines.length >= 5);
    sameLines(collector.lines, execLines(0, 5));
    for (const { lines } of collector.calls) sameLines(lines, execLines(0, 5));
    equal(statistics.failures.get(name), 3);
    equal(statistics.deadLetters, 0);
    await until('the log line', () => bed.log.length === 2);
    const level = DENIED.includes(name) ? 'error' : 'warn';
    match(
      bed.log[0] ?? '',
      new RegExp(`^${level} .*"code":"${name}","details":"asked to answer ${name}"`),
    );
    match(bed.log[1] ?? '', /^info export\.collector_available \{"failures":3/);
  });

for (const name of REFUSAL_CODES)
  test(`${name}: a batch is split until the refused record is found, which becomes a dead letter`, async (t) => {
    const bed = await createExportBed(t);
    const bad = execLine(6);
    const collector = await bed.collect({
      answer: (lines) =>
        lines.includes(bad)
          ? { kind: 'fail', code: status[name as keyof typeof status], details: 'I do not like it' }
          : { kind: 'accept' },
    });
    const { statistics } = bed.start(collector.port);
    await bed.write(...execLines(0, 20));
    await until('all others', () => collector.lines.length >= 19);
    provesHistory({ received: collector.lines, journal: execLines(0, 20), excused: [bad] });
    const [letter, ...more] = lettersOf(bed.dir);
    deepEqual(more, []);
    equal(letter.line, bad);
    equal(letter.code, name);
    equal(letter.details, 'I do not like it');
    equal(statistics.deadLetters, 1);
    await until('counted', () => statistics.exported === 19);
  });

test('records that a collector accepts are exported, whatever its response says', async (t) => {
  const bed = await createExportBed(t);
  const response = Buffer.from('<html>ok</html>');
  const collector = await bed.collect({ answer: () => ({ kind: 'accept', response }) });
  const { statistics } = bed.start(collector.port);
  await bed.write(...execLines(0, 5));
  await until('all are acknowledged', () => statistics.exported === 5);
  equal(collector.calls.length, 1);
  deepEqual([...statistics.failures], []);
});

test('a call on a closed connection is a transient failure', async () => {
  const transport = new GrpcTransport({
    endpoint: parseEndpoint('http://127.0.0.1:1', false),
    compression: 'gzip',
    userAgent: 'test',
    credentials: () => NO_CREDENTIALS,
  });
  transport.shutdown();
  const response = await transport.send(Buffer.alloc(0), 1000);
  ok(response.status === 'failure');
  const { kind } = outcomeOf({ code: 1, error: response.error });
  equal(kind, 'transient');
});

test('lines that are not records become dead letters, and the others are exported', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  bed.start(collector.port);
  await bed.write(execLine(0), 'not ours "\\', execLine(1), '{"id":"x"}', execLine(2));
  await until('the others', () => collector.lines.length >= 3);
  sameLines(collector.lines, execLines(0, 3));
  const letters = lettersOf(bed.dir).map(({ code, line }) => [code, line]);
  deepEqual(letters, [
    ['UNREADABLE', 'not ours "\\'],
    ['UNREADABLE', '{"id":"x"}'],
  ]);
});

test('a dead letter has its line, also if it is the first of a segment that is read back', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 1000 });
  for (const line of execLines(0, 6)) await bed.write(line);
  const first = await firstOfSecondSegment(bed.dir);
  const collector = await bed.collect({
    answer: (lines) =>
      lines.includes(first) ? { kind: 'fail', code: status.INVALID_ARGUMENT } : { kind: 'accept' },
  });
  const { statistics } = bed.start(collector.port);
  await until('the others', () => statistics.exported === 5);
  deepEqual(
    lettersOf(bed.dir).map(({ line }) => line),
    [first],
  );
});

async function firstOfSecondSegment(dir: string): Promise<string> {
  for await (const { line, segment } of readLines(dir)) if (segment === 2) return line;
  throw new Error('there is one segment only');
}

test('a dead letter that a full disk or a power cut left unfinished does not damage the next one', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const torn = `{"whole":1}\n{"torn":"${'x'.repeat(70_000)}`;
  writeFileSync(join(bed.dir, 'dead-letters.jsonl'), torn);
  bed.start(collector.port);
  await bed.write('not ours', execLine(0));
  await until('the other', () => collector.lines.length >= 1);
  const [whole, letter, ...more] = lettersOf(bed.dir);
  deepEqual([whole, letter.line, more], [{ whole: 1 }, 'not ours', []]);
});

test('a dead letter is sent again if the cursor is set back to it', async (t) => {
  const bed = await createExportBed(t);
  let refuses = true;
  const collector = await bed.collect({
    answer: (lines) =>
      refuses && lines.includes(execLine(1))
        ? { kind: 'fail', code: status.INVALID_ARGUMENT }
        : { kind: 'accept' },
  });
  bed.start(collector.port);
  await bed.write(...execLines(0, 3));
  await until('the others', () => collector.lines.includes(execLine(2)));
  await bed.stop();
  refuses = false;
  const before = collector.lines.length;
  const [{ segment, offset }] = lettersOf(bed.dir);
  writeFileSync(join(bed.dir, 'export-cursor.json'), JSON.stringify({ segment, offset }));
  bed.start(collector.port);
  await until('the letter', () => collector.lines.length >= before + 2);
  sameLines(collector.lines.slice(before), execLines(1, 3));
});

test('dead letters that are deleted for space are logged', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  writeFileSync(join(bed.dir, 'dead-letters.1.jsonl'), '{"older":1}\n');
  writeFileSync(join(bed.dir, 'dead-letters.jsonl'), '');
  truncateSync(join(bed.dir, 'dead-letters.jsonl'), 64 << 20);
  bed.start(collector.port);
  await bed.write('not ours', execLine(0));
  await until('the other', () => collector.lines.length >= 1);
  equal(lettersOf(bed.dir).length, 1);
  equal(statSync(join(bed.dir, 'dead-letters.1.jsonl')).size, 64 << 20);
  equal(bed.log[0], 'warn export.dead_letters_deleted {"bytes":12}');
});

test('RESOURCE_EXHAUSTED with RetryInfo waits as long as requested, and splits nothing', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: failing(1, status.RESOURCE_EXHAUSTED, { retryAfterMs: 700 }),
  });
  bed.start(collector.port);
  await bed.write(...execLines(0, 5));
  await until('all lines', () => collector.lines.length >= 5);
  const [first, second] = collector.calls;
  equal(second?.lines.length, 5);
  ok((second?.at ?? 0) - (first?.at ?? 0) >= 690);
});

test('RetryInfo overrides the back-off with UNAVAILABLE, too', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: failing(1, status.UNAVAILABLE, { retryAfterMs: 1500 }),
  });
  bed.start(collector.port);
  await bed.write(execLine(0));
  await until('the line', () => collector.lines.length === 1);
  ok((collector.calls[1]?.at ?? 0) - (collector.calls[0]?.at ?? 0) >= 1490);
});

test('a collector that asks for no wait is not called again at once', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: failing(3, status.UNAVAILABLE, { retryAfterMs: 0 }),
  });
  bed.start(collector.port);
  await bed.write(execLine(0));
  await until('the line', () => collector.lines.length === 1);
  // At least half of 100, 200 and 400 ms.
  ok((collector.calls[3]?.at ?? 0) - (collector.calls[0]?.at ?? 0) >= 340);
});

test('a collector that accepts at most 64 KiB gets everything in smaller requests', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({ maxBytes: 64 << 10 });
  const { statistics } = bed.start(collector.port);
  await bed.write(...execLines(0, 1000));
  await until('all lines', () => collector.lines.length >= 1000);
  sameLines(collector.lines, execLines(0, 1000));
  ok(statistics.splits > 0);
  equal(statistics.deadLetters, 0);
});

test('a partial success is counted, and logged with the collector’s message', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: () => ({ kind: 'accept', rejected: 2, message: 'too old' }),
  });
  const { statistics } = bed.start(collector.port);
  await bed.write(...execLines(0, 10));
  await until('counted', () => statistics.rejected === 2);
  equal(statistics.exported, 8);
  equal(collector.calls.length, 1);
  match(bed.log.join('\n'), /^warn export\.records_rejected .*"rejected":2,"message":"too old"/);
});

test('at most the records that were sent count as rejected', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: () => ({ kind: 'accept', rejected: 1_000_000, message: 'all, and more' }),
  });
  const { statistics } = bed.start(collector.port);
  await bed.write(...execLines(0, 5));
  await until('the calls', () => statistics.rejected > 0);
  await bed.stop();
  deepEqual([statistics.exported, statistics.rejected], [0, 5]);
});

test('a warning in a full success is logged, and nothing counts as rejected', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({ answer: () => ({ kind: 'accept', message: 'soon gone' }) });
  const { statistics } = bed.start(collector.port);
  await bed.write(execLine(0));
  await until('the warning', () => bed.log.some((line) => line.includes('soon gone')));
  equal(statistics.rejected, 0);
  equal(statistics.exported, 1);
});

test('a call that hangs ends by its deadline and is retried', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: (_, call) => (call === 0 ? { kind: 'hang' } : { kind: 'accept' }),
  });
  const { statistics } = bed.start(collector.port, { timeoutMs: 300 });
  await bed.write(execLine(0));
  await until('the line', () => collector.lines.length === 1);
  equal(statistics.failures.get('DEADLINE_EXCEEDED'), 1);
});

test('a dead connection is replaced by a new one', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const proxy = await startProxy(t, collector.port);
  const { statistics } = bed.start(proxy.port, { timeoutMs: 2000 });
  await bed.write(execLine(0));
  // The response must have arrived, too: a line whose response is lost is sent again.
  await until('a line', () => statistics.exported === 1);
  equal(collector.lines.length, 1);
  proxy.swallow();
  await bed.write(execLine(1));
  await until('another connection', () => proxy.connections() > 1);
  proxy.pass();
  await until('the other line', () => collector.lines.length >= 2);
  sameLines(collector.lines, execLines(0, 2));
});

test('a collector that returns gets everything in order', async (t) => {
  const bed = await createExportBed(t);
  const first = await bed.collect();
  bed.start(first.port);
  const received: string[] = [];
  for (let round = 0, collector = first; round < 10; round++) {
    await bed.write(...execLines(round * 10, round * 10 + 5));
    const wanted = round === 0 ? 5 : 10;
    await until('lines', () => collector.lines.length >= wanted);
    collector.kill();
    received.push(...collector.lines);
    await bed.write(...execLines(round * 10 + 5, round * 10 + 10));
    await sleep(round * 50);
    collector = await bed.collect({ address: `127.0.0.1:${collector.port}` });
    if (round === 9) await until('the last lines', () => collector.lines.length >= 5);
    if (round === 9) received.push(...collector.lines);
  }
  provesHistory({ received, journal: execLines(0, 100) });
});

test('an end while the collector is down takes at most the grace time, and loses nothing', async (t) => {
  const bed = await createExportBed(t);
  const hung = await bed.collect({ answer: () => ({ kind: 'hang' }) });
  bed.start(hung.port, { timeoutMs: 2000 });
  await bed.write(...execLines(0, 5));
  await until('a call', () => hung.calls.length === 1);
  await bed.stop(100);
  const collector = await bed.collect();
  bed.start(collector.port);
  await until('all lines', () => collector.lines.length >= 5);
  sameLines(collector.lines, execLines(0, 5));
});

test('while there is no collector, only the latest lines are kept in memory', async (t) => {
  const bed = await createExportBed(t);
  bed.start(1);
  const batch = execLines(0, 500, { args: ['x'.repeat(1000)] });
  for (let round = 0; round < 20; round++) await bed.write(...batch);
  await sleep(50);
  await bed.stop(0);
  const collector = await bed.collect();
  bed.start(collector.port);
  await until('all lines', () => collector.lines.length >= 20 * 500);
  sameLines(collector.lines, Array.from({ length: 20 }, () => batch).flat());
});
