import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { compressSegment } from '../../agent/journal/archive/compress.ts';
import { isWithin } from '../../agent/journal/length.ts';
import { readSegment } from '../../agent/journal/read.ts';
import { segmentBytesSync } from '../../agent/journal/segment.ts';
import { decodeIndex } from '../../record/index/segment-index.ts';
import { append, createBed } from '../support/journal/bed.ts';
import { indexName, segmentName } from '../support/journal/segment-name.ts';
import { until } from '../support/until.ts';

const NEVER = new AbortController().signal;
const FRAME_BYTES = 4 << 20;
const LONG = 'x'.repeat(700_000);

/** Writes a plain segment, compresses it, and returns its text, its compressed form and its index. */
async function compressed(dir: string, lines: readonly string[]) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const text = lines.join('');
  writeFileSync(join(dir, segmentName(1)), text, { mode: 0o600 });
  await compressSegment(dir, 1, 1, NEVER);
  const bytes = readFileSync(join(dir, `${segmentName(1)}.zst`));
  const index = decodeIndex(readFileSync(join(dir, indexName(1))));
  return { text, bytes, index };
}

test('a closed segment is frames of whole lines, and its index says where each is', async (t) => {
  const bed = createBed(t);
  const short = Array.from({ length: 20_000 }, (_, n) => `${n} ${'y'.repeat(n % 600)}\n`);
  const long = Array.from({ length: 8 }, (_, n) => `${n} ${LONG}\n`);
  const huge = `${'z'.repeat(FRAME_BYTES)}\n`;
  const all = [[], ['one\n'], ['torn'], short, [huge, ...long, ...short, huge, ...long, 'torn']];
  for (const lines of all) {
    const { text, bytes, index } = await compressed(bed.dir, lines);
    let [offset, textAt] = [0, 0];
    for (const frame of index.frames) {
      const own = bytes.subarray(frame.offset, frame.offset + frame.bytes);
      const part = zstdDecompressSync(own).toString();
      assert.equal(frame.offset, offset);
      assert.equal(frame.crc, crc32(own));
      assert.equal(frame.textBytes, part.length);
      assert.equal(frame.lines, part.split('\n').length - 1);
      const longest = Math.max(...part.split('\n').map(({ length }) => length + 1));
      assert.ok(part.length <= FRAME_BYTES + longest);
      assert.equal(part, text.slice(textAt, textAt + part.length));
      offset += frame.bytes;
      textAt += part.length;
      if (textAt < text.length) assert.ok(part.endsWith('\n'));
    }
    assert.equal(offset, bytes.length);
    assert.equal(textAt, text.length);
    const segment = { number: 1, compressed: true };
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const read = await Array.fromAsync(readSegment(bed.dir, segment, 0));
    assert.equal(read.map(({ line }) => `${line}\n`).join(''), whole);
    assert.ok(await isWithin(bed.dir, { segment: 1, offset: text.length }));
    assert.ok(!(await isWithin(bed.dir, { segment: 1, offset: text.length + 1 })));
  }
});

test('only the owner may read an index, and it counts as a part of its segment', async (t) => {
  const bed = createBed(t);
  const { bytes } = await compressed(bed.dir, ['one\n']);
  const { mode, size } = statSync(join(bed.dir, indexName(1)));
  assert.equal(mode & 0o777, 0o600);
  assert.equal(segmentBytesSync(bed.dir, { number: 1, compressed: true }), bytes.length + size);
});

test('a compression that fails leaves the plain segment alone, without an index', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  writeFileSync(join(bed.dir, segmentName(1)), 'one\n');
  writeFileSync(join(bed.dir, indexName(1)), 'of an earlier attempt');
  await assert.rejects(compressSegment(bed.dir, 1, 1, AbortSignal.abort()));
  assert.deepEqual(readdirSync(bed.dir), [segmentName(1)]);
});

test('an index is deleted with its segment', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxBytes: 1000, maxBytes: 20_000 });
  const indexes = () => readdirSync(bed.dir).filter((name) => name.endsWith('.index'));
  for (let n = 0; n < 60; n++) {
    await append(journal, `${n} ${'w'.repeat(1000)}`);
    if (n === 3) await until('an index', () => indexes().length > 0);
  }
  await until('a deletion', () => !existsSync(join(bed.dir, `${segmentName(1)}.zst`)));
  await journal.close();
  const segments = readdirSync(bed.dir).filter((name) => name.endsWith('.zst'));
  assert.deepEqual(
    indexes().map((name) => name.slice(0, 20)),
    segments.map((name) => name.slice(0, 20)),
  );
});
