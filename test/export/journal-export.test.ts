import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCursor } from '../../agent/export/read/cursor.ts';
import { JournalReader } from '../../agent/export/read/journal-reader.ts';
import { RecentLines } from '../../agent/export/read/recent-lines.ts';
import { readLines, readText } from '../../agent/journal/read.ts';
import { oldestPosition } from '../../agent/journal/segment.ts';
import { execLine, execLines, hostileLines, sameLines } from '../support/journal/lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { until } from '../support/until.ts';
import { startProxy } from './proxy.ts';

const cursorOf = (dir: string) => JSON.parse(readFileSync(join(dir, 'export-cursor.json'), 'utf8'));

test('lines that are written reach the collector byte for byte and in order', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  bed.start(collector.port);
  const lines = hostileLines(3000, 7);
  for (let from = 0; from < lines.length; from += 100) {
    await bed.write(...lines.slice(from, from + 100));
    if (from % 1000 === 0) await sleep(30);
  }
  await until('all lines', () => collector.lines.length >= lines.length);
  sameLines(collector.lines, lines);
});

test('lines from before the start are read from the journal first', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 64 << 10 });
  const lines = execLines(0, 2000);
  for (let from = 0; from < 1000; from += 50) await bed.write(...lines.slice(from, from + 50));
  const collector = await bed.collect();
  bed.start(collector.port);
  for (let from = 1000; from < 2000; from += 50) await bed.write(...lines.slice(from, from + 50));
  await until('all lines', () => collector.lines.length >= lines.length);
  sameLines(collector.lines, lines);
});

test('an orderly end sends what there is and saves the cursor; the next run continues there', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  bed.start(collector.port, { batchAgeMs: 60_000 });
  await bed.write(...execLines(0, 10));
  await bed.stop();
  sameLines(collector.lines, execLines(0, 10));
  deepEqual(cursorOf(bed.dir), bed.journal.position);
  await bed.reopen();
  await bed.write(...execLines(10, 20));
  bed.start(collector.port);
  await bed.write(...execLines(20, 30));
  await until('all lines', () => collector.lines.length >= 30);
  sameLines(collector.lines, execLines(0, 30));
});

test('after a kill, records after the saved cursor are sent again, unchanged', async (t) => {
  const bed = await createExportBed(t);
  const first = await bed.collect();
  bed.start(first.port);
  await bed.write(...execLines(0, 50));
  await until('fifty lines', () => first.lines.length === 50);
  // What is saved later would replace the cursor that is set below.
  const end = bed.journal.position;
  await until('the cursor', () => readCursor(bed.dir)?.offset === end.offset);
  bed.abandon();
  // Back to before the last batch, as if it had not come to disk.
  writeFileSync(join(bed.dir, 'export-cursor.json'), JSON.stringify({ ...end, offset: 0 }));
  await bed.reopen();
  await bed.write(...execLines(50, 60));
  const second = await bed.collect();
  bed.start(second.port);
  await until('sixty lines', () => second.lines.length >= 60);
  const received = [...first.lines, ...second.lines];
  provesHistory({ received, journal: execLines(0, 60) });
  equal(received.length, 110);
});

test('a cursor in a segment that was compressed since is valid', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 20 << 10 });
  const collector = await bed.collect();
  bed.start(collector.port);
  await bed.write(...execLines(0, 5));
  await until('five lines', () => collector.lines.length === 5);
  await bed.stop();
  for (let n = 5; n < 200; n++) await bed.write(execLine(n));
  await bed.reopen();
  const first = join(bed.dir, `${segmentName(1)}.zst`);
  await until('the first segment compressed', () => existsSync(first));
  bed.start(collector.port);
  await until('all lines', () => collector.lines.length >= 200);
  sameLines(collector.lines, execLines(0, 200));
});

test('lines that were deleted before they were exported are logged, and the rest is exported', async (t) => {
  const bed = await createExportBed(t, {
    segmentMaxBytes: 16 << 10,
    maxBytes: 60 << 10,
    compressionLevel: -7,
  });
  const collector = await bed.collect();
  bed.start(collector.port);
  await bed.write(...execLines(0, 5));
  await until('five lines', () => collector.lines.length === 5);
  await bed.stop();
  const noise = (n: number) => ({ args: [Buffer.from(hash(n)).toString('base64')] });
  for (let n = 5; n < 300; n++) {
    await bed.write(execLine(n, noise(n)));
    if (n % 10 === 0) await sleep(5);
  }
  await until(
    'deleted',
    () =>
      !existsSync(join(bed.dir, `${segmentName(1)}.zst`)) &&
      !existsSync(join(bed.dir, segmentName(1))),
  );
  await bed.reopen();
  const left = bed.lines();
  notEqual(left.length, 295);
  const running = bed.start(collector.port);
  await until('all lines', () => collector.lines.length >= 5 + left.length);
  sameLines(collector.lines.slice(5), left);
  match(
    bed.log.join('\n'),
    /^error export\.segments_deleted \{"from":\{"segment":1,"offset":\d+\},"to":\{"segment":\d+,"offset":0\}/m,
  );
  equal(running.statistics.skips, 1);
});

test('the rest of a segment that is deleted while its batch is being sent is logged', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 8 << 10 });
  for (let n = 0; n < 40; n++) await bed.write(execLine(n));
  await bed.reopen();
  const path = join(bed.dir, `${segmentName(1)}.zst`);
  const plain = path.replace(/\.zst$/, '');
  await until('compressed', () => existsSync(path) && !existsSync(plain));
  const [first] = await Array.fromAsync(readLines(bed.dir));
  const skips: unknown[] = [];
  const tail = new JournalReader(
    {
      recent: new RecentLines(bed.journal.position, 1000),
      readText: (from) => readText(bed.dir, from),
      oldest: () => oldestPosition(bed.dir),
      onSkipped: (from, to) => skips.push([from, to]),
    },
    { segment: 1, offset: first?.offset ?? 0 },
  );
  rmSync(path);
  ok(await tail.fill());
  deepEqual(skips, [
    [
      { segment: 1, offset: first?.offset },
      { segment: 2, offset: 0 },
    ],
  ]);
  await tail.close();
});

test('a damaged segment is logged and skipped', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 8 << 10 });
  for (let n = 0; n < 40; n++) await bed.write(execLine(n));
  await bed.reopen();
  const second = join(bed.dir, '00000000000000000002.jsonl.zst');
  await until('compressed', () => existsSync(second));
  await bed.reopen();
  const before = bed.lines();
  writeFileSync(second, 'no zstd at all');
  const collector = await bed.collect();
  bed.start(collector.port);
  await until('the last line', () => collector.lines.at(-1) === before.at(-1));
  ok(collector.lines.length < before.length);
  const rest = new Set(collector.lines);
  sameLines(
    collector.lines,
    before.filter((line) => rest.has(line)),
  );
  match(
    bed.log.join('\n'),
    /^error export\.segment_skipped \{"from":\{"segment":2,"offset":\d+\},"to":\{"segment":3,"offset":0\},"error":".*damaged/m,
  );
});

test('with a cursor beyond the journal’s end, the segment is sent again, so that no line is lost', async (t) => {
  const bed = await createExportBed(t);
  await bed.write(...execLines(0, 3));
  const cursor = join(bed.dir, 'export-cursor.json');
  writeFileSync(cursor, '{"segment":1,"offset":999999}');
  const collector = await bed.collect();
  bed.start(collector.port);
  equal(existsSync(cursor), false, 'nobody finds it once the journal has grown past it');
  await bed.write(...execLines(3, 5));
  await until('all lines', () => collector.lines.length >= 5);
  sameLines(collector.lines, execLines(0, 5));
});

for (const text of [
  '',
  'no json',
  '{}',
  '{"segment":-1,"offset":0}',
  '{"segment":1,"offset":1.5}',
  'null',
])
  test(`a cursor file with ${text || 'nothing'} counts as none`, async (t) => {
    const bed = await createExportBed(t);
    await bed.write(...execLines(0, 3));
    writeFileSync(join(bed.dir, 'export-cursor.json'), text);
    const collector = await bed.collect();
    bed.start(collector.port);
    await until('all lines', () => collector.lines.length >= 3);
    sameLines(collector.lines, execLines(0, 3));
  });

test('batches are limited by count and by bytes, and stay below 4 MiB', async (t) => {
  const bed = await createExportBed(t);
  await bed.write(...execLines(0, 100));
  const big = execLines(100, 130, { args: ['x'.repeat(30_000)], object: `/${'é'.repeat(2000)}` });
  await bed.write(...big);
  const collector = await bed.collect();
  bed.start(collector.port, { batchRecords: 40, batchBytes: 200_000 });
  await until('all lines', () => collector.lines.length >= 130);
  sameLines(collector.lines, [...execLines(0, 100), ...big]);
  ok(collector.calls.every(({ lines }) => lines.length <= 40));
  ok(collector.calls.every(({ bytes }) => bytes <= 300_000));
  ok(collector.calls.length >= 8);
});

test('a batch waits for more records until it reaches its age', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  bed.start(collector.port, { batchAgeMs: 60_000 });
  await bed.write(...execLines(0, 3));
  await sleep(100);
  await bed.write(...execLines(3, 6));
  await sleep(100);
  equal(collector.calls.length, 0);
  await bed.stop();
  equal(collector.calls.length, 1);
  sameLines(collector.lines, execLines(0, 6));
});

test('calls name the agent, and are compressed unless compression is off', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const lines = execLines(0, 1000);
  const sizes: number[] = [];
  for (const compression of ['gzip', 'none'] as const) {
    const proxy = await startProxy(t, collector.port);
    bed.start(proxy.port, { compression });
    await bed.write(...lines);
    await bed.stop();
    sizes.push(proxy.bytes());
  }
  sameLines(collector.lines, [...lines, ...lines]);
  const [gzip = 0, none = 0] = sizes;
  ok(gzip < none / 5, `${gzip} bytes with gzip, ${none} without`);
  match(String(collector.calls[0]?.metadata['user-agent']), /^vcml-agent\/1\.2\.3 grpc-node-js\//);
});

function hash(n: number): Uint8Array {
  const bytes = new Uint8Array(600);
  let state = n + 1;
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
