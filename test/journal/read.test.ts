import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { chunksThere, reportDeleted } from '../../agent/journal/overtaken.ts';
import { followLines, readChunks, readLines } from '../../agent/journal/read.ts';
import { listSegmentsSync } from '../../agent/journal/segment.ts';
import { append, createBed, ended, numbered, startWriter } from '../support/journal/bed.ts';
import { readLinesSync } from '../support/journal/read-lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';

/** Three segments of ten lines: compressed, plain and closed, open with half a line. */
function threeSegments(dir: string): void {
  mkdirSync(dir, { mode: 0o700 });
  for (const n of [1, 2, 3])
    writeFileSync(join(dir, segmentName(n)), `${numbered(n * 10, n * 10 + 10).join('\n')}\n`);
  execFileSync('zstd', ['-q', '--rm', join(dir, segmentName(1))]);
  writeFileSync(join(dir, segmentName(3)), '{"half":', { flag: 'a' });
}

test('all lines of plain and compressed segments are read in order, except a torn one', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const lines = await Array.fromAsync(readLines(dir));
  assert.deepEqual(
    lines.map(({ line }) => line),
    numbered(10, 40),
  );
  assert.deepEqual(readLinesSync(dir), lines);
});

test('reading can begin after any line', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const all = await Array.fromAsync(readLines(dir));
  for (const [n, position] of all.entries()) {
    const rest = all.slice(n + 1);
    assert.deepEqual(await Array.fromAsync(readLines(dir, position)), rest);
    assert.deepEqual(readLinesSync(dir, position), rest);
  }
});

test('a position in a deleted segment means the oldest segment that exists', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const [, position] = await Array.fromAsync(readLines(dir));
  rmSync(join(dir, `${segmentName(1)}.zst`));
  const lines = await Array.fromAsync(readLines(dir, position));
  assert.deepEqual(
    lines.map(({ line }) => line),
    numbered(20, 40),
  );
});

test('a plain segment of any size is read through one buffer', async (t) => {
  const { dir } = createBed(t);
  const text = randomBytes(2 << 20);
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(dir, segmentName(1)), text);
  const buffers = new Set<ArrayBufferLike>();
  const copies: Buffer[] = [];
  for await (const chunk of readChunks(dir, { number: 1, compressed: false }, 0)) {
    buffers.add(chunk.buffer);
    copies.push(Buffer.from(chunk));
  }
  assert.deepEqual(Buffer.concat(copies), text);
  assert.equal(buffers.size, 1);
});

test('an empty folder has no lines', async (t) => {
  const { dir } = createBed(t);
  mkdirSync(dir);
  assert.deepEqual(await Array.fromAsync(readLines(dir)), []);
});

test('a reader that stops inside a compressed segment leaves nothing that fails later', async (t) => {
  const { dir } = createBed(t);
  mkdirSync(dir);
  const noise = Array.from({ length: 200_000 }, () => Math.random().toString(36)).join('\n');
  writeFileSync(join(dir, segmentName(1)), `${noise}\n`);
  execFileSync('zstd', ['-q', '--rm', join(dir, segmentName(1))]);
  for (let round = 0; round < 20; round++)
    for await (const { line } of readLines(dir)) {
      assert.ok(line.length > 0);
      break;
    }
  await pause(50);
});

test('a damaged compressed segment is an error for its reader', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  writeFileSync(join(dir, `${segmentName(1)}.zst`), 'this is not zstd');
  await assert.rejects(Array.fromAsync(readLines(dir)));
});

test('the rest of a segment that cannot be read is skipped and named, and all others are read', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const file = join(dir, `${segmentName(1)}.zst`);
  const read = async () => {
    const errors: string[] = [];
    const lines = await Array.fromAsync(
      readLines(dir, undefined, ({ message }) => errors.push(message)),
      ({ line }) => line,
    );
    return { lines, errors };
  };
  const whole = readFileSync(file);
  for (const damage of [Buffer.from('this is not zstd'), whole.subarray(0, -3)]) {
    writeFileSync(file, damage);
    const { lines, errors } = await read();
    assert.deepEqual(lines.slice(-20), numbered(20, 40));
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /1\.jsonl\.zst is damaged: .*; move it/);
  }
  rmSync(file);
  rmSync(join(dir, segmentName(2)));
  mkdirSync(join(dir, segmentName(2))); // EISDIR, like a disk's EIO, does not name the file
  const { lines, errors } = await read();
  assert.deepEqual([lines, errors.length], [numbered(30, 40), 1]);
  assert.match(errors[0] ?? '', /2\.jsonl: EISDIR/);
});

test('every zstd frame of a segment is read, wherever the frames begin', async (t) => {
  const { dir } = createBed(t);
  mkdirSync(dir);
  const noise = Array.from({ length: 4_000 }, () => randomBytes(300).toString('hex'));
  const text = Buffer.from(`${noise.join('\n')}\n`);
  for (const cuts of [[], [0], [1], [10, 11], [700_000, 1 << 20, 2_000_000]]) {
    const parts = [...cuts, text.length].map((end, n) => text.subarray(cuts[n - 1] ?? 0, end));
    const frames = Buffer.concat(parts.map((part) => zstdCompressSync(part)));
    writeFileSync(join(dir, `${segmentName(1)}.zst`), frames);
    const lines = await Array.fromAsync(readLines(dir), ({ line }) => line);
    assert.equal(lines.length, noise.length, `${cuts}`);
    assert.ok(lines.every((line, n) => line === noise[n]));
    const [offset, line] = [text.lastIndexOf('\n', text.length - 2) + 1, noise.at(-1)];
    const rest = await Array.fromAsync(readLines(dir, { segment: 1, offset }));
    assert.deepEqual(rest, [{ line, segment: 1, offset: text.length }]);
  }
});

test('what follows the last frame is damage', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const file = join(dir, `${segmentName(1)}.zst`);
  appendFileSync(file, 'more');
  await assert.rejects(Array.fromAsync(readLines(dir)), { code: 'SEGMENT_DAMAGED' });
});

test('a segment that is compressed during reading is read once', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxBytes: 3 << 20 });
  const lines = numbered(0, 40_000).map((line) => line.padEnd(100));
  await append(journal, lines.slice(0, 35_000).join('\n'));
  const seen: string[] = [];
  for await (const { line } of readLines(bed.dir)) {
    if (seen.length === 100) {
      await append(journal, lines.slice(35_000).join('\n')); // closes the first segment
      while (readdirSync(bed.dir).includes(segmentName(1))) await pause(5);
    }
    seen.push(line);
  }
  await journal.close();
  assert.deepEqual(seen, lines);
});

test('when a segment is deleted during reading, the reader continues with the next one', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const seen: string[] = [];
  for await (const { line } of readLines(dir)) {
    if (seen.length === 12) rmSync(join(dir, segmentName(2)));
    seen.push(line);
  }
  assert.deepEqual(seen, numbered(10, 40));
});

test('a follower gets every line once, whole and in order, while a process writes and compresses', async (t) => {
  const { dir } = createBed(t);
  mkdirSync(dir, { mode: 0o700 });
  const count = 12_000;
  const { child } = startWriter(dir, { lines: count, batch: 25, padding: 300, pauseMs: 1 });
  const done = new AbortController();
  const followers = Array.from({ length: 2 }, async () => {
    let n = 0;
    for await (const { line } of followLines(dir, undefined, done.signal)) {
      assert.equal(JSON.parse(line).n, n);
      n += 1;
      if (n === count) return;
    }
  });
  const timer = setTimeout(() => done.abort(new Error('too slow')), 120_000);
  // Others read all of it, again and again, from beginning to end.
  while (child.exitCode === null) {
    let n = 0;
    for await (const { line } of readLines(dir)) {
      assert.equal(JSON.parse(line).n, n);
      n += 1;
    }
    await pause(20);
  }
  await ended(child);
  await Promise.all(followers);
  clearTimeout(timer);
  assert.equal(child.exitCode, 0);
  assert.equal((await Array.fromAsync(readLines(dir))).length, count);
  assert.ok(readdirSync(dir).filter((file) => file.endsWith('.zst')).length > 5);
});

test('a follower ends at once when its signal is aborted', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open();
  await append(journal, 'one');
  const done = new AbortController();
  const seen: string[] = [];
  const before = performance.now();
  setTimeout(() => done.abort(), 50);
  for await (const { line } of followLines(bed.dir, undefined, done.signal)) seen.push(line);
  assert.deepEqual(seen, ['one']);
  assert.ok(performance.now() - before < 900);
  await journal.close();
});

test('a follower reports the segments that were deleted before it came to them', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  const said: string[] = [];
  const note = ({ message }: Error) => void said.push(message);
  const chunksOf = reportDeleted(chunksThere, note, listSegmentsSync(dir));
  const done = new AbortController();
  const seen: string[] = [];
  for await (const { line } of followLines(dir, undefined, done.signal, note, chunksOf)) {
    if (seen.push(line) === 1) rmSync(join(dir, segmentName(2)));
    if (seen.length === 20) done.abort();
  }
  assert.deepEqual(seen, [...numbered(10, 20), ...numbered(30, 40)]);
  assert.match(said.join('\n'), /^.*, from segment 2 to below 3: deleted for space .+$/);
});

test('a number that was missing before a reader began is not reported as deleted since', async (t) => {
  const { dir } = createBed(t);
  threeSegments(dir);
  rmSync(join(dir, segmentName(2)));
  const said: string[] = [];
  const note = ({ message }: Error) => void said.push(message);
  const chunksOf = reportDeleted(readChunks, note, listSegmentsSync(dir));
  const lines = await Array.fromAsync(readLines(dir, undefined, note, chunksOf));
  assert.deepEqual([lines.length, said], [20, []]);
});
