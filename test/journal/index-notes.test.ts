import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compressSegment } from '../../agent/journal/archive/compress.ts';
import type { Journal } from '../../agent/journal/journal.ts';
import { indexFaultOf } from '../../forensics/exec-lines/index-of-file.ts';
import { LineNotes } from '../../record/index/line-notes.ts';
import { decodeIndex, type SegmentIndex } from '../../record/index/segment-index.ts';
import { text as lineOf, start } from '../check/craft.ts';
import { createBed } from '../support/journal/bed.ts';
import { execLine, execLines, hostileLines, recordToNote } from '../support/journal/lines.ts';
import { indexName, segmentName } from '../support/journal/segment-name.ts';
import { createSeeded } from '../support/scripted/seeded.ts';
import { until } from '../support/until.ts';

type Frame = SegmentIndex['frames'][number];

const OPTIONS = { segmentMaxBytes: 64 << 20, segmentMaxAgeMs: 3_600_000 };
const LONG = ['x', 'y'.repeat(900)];

/** Appends lines and notes of them, as a run does. */
async function append(journal: Journal, lines: readonly string[], of = lines): Promise<void> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const notes = new LineNotes();
  let from = 0;
  for (const [n, line] of lines.entries()) {
    const to = from + Buffer.byteLength(line) + 1;
    const resource = /"resource":(\{.*?\}),"attributes":\{"vcml/.exec(of[n] ?? '')?.[1] ?? '';
    notes.add(recordToNote(of[n] ?? ''), resource, bytes, from, to);
    from = to;
  }
  await journal.append(bytes, bytes.length, notes);
}

/** Closes the open segment, and returns its index and its text. */
async function closed(dir: string, journal: Journal, number = 1) {
  const text = readFileSync(join(dir, segmentName(number)));
  time += 2 * OPTIONS.segmentMaxAgeMs;
  await append(journal, [execLine(0)]);
  const plain = join(dir, segmentName(number));
  await until('a compressed segment', () => !existsSync(plain));
  return { text, index: indexIn(dir, number) };
}

function indexIn(dir: string, number: number): SegmentIndex {
  return decodeIndex(readFileSync(join(dir, indexName(number))));
}

/** Makes the index of a text from its lines. */
async function indexOf(t: TestContext, text: Buffer): Promise<SegmentIndex> {
  const { dir } = createBed(t);
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(dir, segmentName(1)), text);
  await compressSegment(dir, 1, 1, new AbortController().signal);
  return indexIn(dir, 1);
}

/** Each call of closed() lets the open segment become due. */
let time = 0;
const now = () => time;

const seeded = createSeeded(1);
const hex = () => Array.from({ length: 8 }, () => seeded.below(2 ** 32).toString(16)).join('');
const early = (line: string) => line.replace(/"timestamp":1795/, '"timestamp":');
const CASES: Readonly<Record<string, readonly string[]>> = {
  'several frames': execLines(0, 9000, { args: LONG }),
  'hostile names': hostileLines(3000, 7),
  'records about the journal': [lineOf(start([1, 1])), ...execLines(2, 300)],
  'a clock before 2001': [...execLines(0, 50), early(execLine(51))],
  'a resource that is too long': [
    ...execLines(0, 50),
    execLine(51, { resource: { 'host.name': 'x'.repeat(20_000) } }),
  ],
  'resources that are too long together': Array.from({ length: 400 }, (_, n) =>
    execLine(n, { resource: { 'host.name': hex(), 'os.type': 'x'.repeat(15_000) } }),
  ),
  'many resources': Array.from({ length: 5000 }, (_, n) =>
    execLine(n, { resource: { 'host.name': hex() } }),
  ),
};

for (const [what, lines] of Object.entries(CASES))
  test(`an index from notes is that of the lines: ${what}`, async (t) => {
    const bed = createBed(t);
    const journal = await bed.open({ ...OPTIONS, now });
    for (let at = 0; at < lines.length; at += 700) await append(journal, lines.slice(at, at + 700));
    const { text, index } = await closed(bed.dir, journal);
    assert.equal(await indexFaultOf(join(bed.dir, `${segmentName(1)}.zst`)), undefined);
    const expected = await indexOf(t, text);
    assert.ok(Buffer.byteLength(index.resources.join('')) <= 4 << 20);
    // Of resources that look alike, an index from the lines lists few.
    const isListed = expected.frames.every(({ resources }) => resources !== undefined);
    if (isListed) assert.deepEqual(index.resources, expected.resources);
    assert.deepEqual(index.frames.map(contentOf), expected.frames.map(contentOf));
    await journal.close();
  });

/** Without the place, and the resources. */
function contentOf({ textBytes, lines, isOurs, onlyExecs, first, last, ids, parents }: Frame) {
  return { textBytes, lines, isOurs, onlyExecs, first, last, ids, parents };
}

test('the index of a segment that this run has written is made from notes', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ ...OPTIONS, now });
  const other = execLine(1, { resource: { 'host.name': 'noted' } });
  await append(journal, [execLine(1)], [other]);
  const { index } = await closed(bed.dir, journal);
  assert.deepEqual(index.resources, ['{"host.name":"noted"}']);
  await journal.close();
});

test('where not all lines were noted, the index is made from the lines', async (t) => {
  const bed = createBed(t);
  const first = await bed.open({ ...OPTIONS, now });
  await append(first, [execLine(1)]);
  await first.close();
  const second = await bed.open({ ...OPTIONS, now });
  const other = execLine(2, { resource: { 'host.name': 'noted' } });
  await append(second, [execLine(2)], [other]); // closes the segment, which is of another boot
  await until('an index', () => existsSync(join(bed.dir, indexName(1))));
  assert.deepEqual(indexIn(bed.dir, 1), await indexOf(t, Buffer.from(`${execLine(1)}\n`)));
  const bytes = Buffer.from(`${execLine(3)}\n`);
  await second.append(bytes, bytes.length);
  const { text, index } = await closed(bed.dir, second, 2);
  assert.deepEqual(index, await indexOf(t, text));
  await second.close();
});
