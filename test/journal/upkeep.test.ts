import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { compressSegment } from '../../agent/journal/archive/compress.ts';
import { readLines, readSegment } from '../../agent/journal/read.ts';
import { listSegmentsSync, oldestPosition } from '../../agent/journal/segment.ts';
import { readState } from '../../agent/journal/state.ts';
import { append, createBed, linesOf } from '../support/journal/bed.ts';
import { readLinesSync } from '../support/journal/read-lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { until } from '../support/until.ts';

const NEVER = new AbortController().signal;

/** Writes plain segments, one for each text, counted from 1. */
function put(dir: string, ...texts: readonly string[]): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const [index, text] of texts.entries())
    writeFileSync(join(dir, segmentName(index + 1)), text, { mode: 0o600 });
}

test('an older segment that a system crash has torn is cut, too', async (t) => {
  const bed = createBed(t);
  put(bed.dir, 'one\ntor', 'two\n');
  const journal = await bed.open();
  assert.deepEqual(journal.recovered, { tornBytes: 3, segment: 1 });
  await append(journal, 'three');
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), ['one', 'two', 'three']);
});

test('no line is written before a position that was reported', async (t) => {
  const bed = createBed(t);
  // closed before the first can be compressed, and with nothing in the second
  put(bed.dir, 'one\n', '');
  const first = await bed.open();
  const { position } = first;
  await first.close();
  const second = await bed.open();
  await append(second, 'two');
  await second.close();
  const lines = await Array.fromAsync(readLines(bed.dir, position));
  assert.deepEqual(
    lines.map(({ line }) => line),
    ['two'],
  );
});

test('segments are never counted from 1 again, also if all that had lines were deleted', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  writeFileSync(join(bed.dir, segmentName(7)), '', { mode: 0o600 });
  await (await bed.open()).close();
  const journal = await bed.open();
  assert.deepEqual(journal.position, { segment: 7, offset: 0 });
  await journal.close();
});

test('an empty folder of the agent’s user becomes 0700; one with content keeps its mode', async (t) => {
  for (const content of [false, true]) {
    const bed = createBed(t);
    mkdirSync(bed.dir, { mode: 0o755 });
    if (content) writeFileSync(join(bed.dir, 'note'), '');
    await (await bed.open()).close();
    assert.equal(statSync(bed.dir).mode & 0o777, content ? 0o755 : 0o700);
  }
});

test('a timer runs only while lines wait to be synced', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const bed = createBed(t);
  const journal = await bed.open({ sync: 'interval', syncIntervalMs: 20 });
  const before = timers();
  await append(journal, 'one');
  await append(journal, 'two');
  assert.equal(timers(), before + 1);
  // waiting without a timer of this test's own
  for (const begun = performance.now(); performance.now() - begun < 200; )
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(timers(), before);
  await journal.close();
});

test('closed segments can be verified, and their size is known', async (t) => {
  const bed = createBed(t);
  put(bed.dir, 'one\n'.repeat(1000));
  await compressSegment(bed.dir, 1, 1, NEVER);
  const file = join(bed.dir, `${segmentName(1)}.zst`);
  execFileSync('zstd', ['-tq', file]);
  const listed = execFileSync('zstd', ['-lv', file], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  assert.match(listed, /Decompressed Size: .*\(4000 B\)/);
  assert.match(listed, /Check: XXH64/);
});

test('a damaged closed segment is an error that names the file and the remedy', async (t) => {
  const bed = createBed(t);
  put(bed.dir, 'one\n'.repeat(1000));
  await compressSegment(bed.dir, 1, 1, NEVER);
  const file = join(bed.dir, `${segmentName(1)}.zst`);
  const whole = readFileSync(file);
  const changed = Buffer.from(whole);
  changed[whole.length - 1] = (changed[whole.length - 1] ?? 0) ^ 1;
  for (const content of [whole.subarray(0, whole.length - 6), changed, Buffer.from('no zstd')]) {
    writeFileSync(file, content);
    const error = { code: 'SEGMENT_DAMAGED', message: /1\.jsonl\.zst is damaged: .*; move it/ };
    await assert.rejects(Array.fromAsync(readLines(bed.dir)), error);
  }
});

test('a segment that was compressed since it was listed is read, and one that was deleted has no lines', async (t) => {
  const bed = createBed(t);
  put(bed.dir, 'one\n', 'two\n', 'three\n');
  const [, second, third] = listSegmentsSync(bed.dir);
  assert.ok(second && third);
  await compressSegment(bed.dir, 2, 1, NEVER);
  rmSync(join(bed.dir, segmentName(3)));
  assert.deepEqual(await Array.fromAsync(readSegment(bed.dir, second, 0)), [
    { line: 'two', segment: 2, offset: 4 },
  ]);
  assert.deepEqual(await Array.fromAsync(readSegment(bed.dir, third, 0)), []);
});

test('a FIFO in place of state.json blocks nothing', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir);
  execFileSync('mkfifo', [join(bed.dir, 'state.json')]);
  assert.deepEqual(readState(bed.dir), { why: 'state.json is not a plain file' });
});

test('the oldest position is before the first remaining line', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir);
  assert.equal(await oldestPosition(bed.dir), undefined);
  put(bed.dir, 'one\n', 'two\n');
  assert.deepEqual(await oldestPosition(bed.dir), { segment: 1, offset: 0 });
  rmSync(join(bed.dir, segmentName(1)));
  assert.deepEqual(
    readLinesSync(bed.dir, await oldestPosition(bed.dir)).map(({ line }) => line),
    ['two'],
  );
});

test('a file whose number is not exact is no segment', async (t) => {
  const bed = createBed(t);
  put(bed.dir, 'one\n');
  appendFileSync(join(bed.dir, `${'9'.repeat(20)}.jsonl`), 'foreign\n');
  const journal = await bed.open();
  await append(journal, 'two');
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), ['one', 'two']);
});

test('the cap leaves room for the open segment to grow', async (t) => {
  const bed = createBed(t);
  put(bed.dir, ...Array.from({ length: 6 }, () => `"${randomBytes(7500).toString('base64')}"\n`));
  for (const n of [1, 2, 3, 4, 5]) {
    const file = join(bed.dir, segmentName(n));
    writeFileSync(`${file}.zst`, zstdCompressSync(readFileSync(file)));
  }
  const journal = await bed.open({ segmentMaxBytes: 20_000, maxBytes: 50_000 });
  await until('the oldest deleted', () => listSegmentsSync(bed.dir).length <= 4);
  await pause(50);
  await journal.close();
  const sizes = listSegmentsSync(bed.dir).map((one) =>
    statSync(
      join(bed.dir, one.compressed ? `${segmentName(one.number)}.zst` : segmentName(one.number)),
    ),
  );
  const closed = sizes.slice(0, -1).reduce((sum, { size }) => sum + size, 0);
  assert.ok(closed <= 30_000 && closed > 15_000, `${closed} bytes`);
  assert.ok(existsSync(join(bed.dir, segmentName(6))));
});
