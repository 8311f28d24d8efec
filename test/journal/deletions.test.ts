import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Deletions } from '../../agent/journal/archive/deletions.ts';
import type { DeletedRange } from '../../agent/journal/archive/retention.ts';
import type { Journal } from '../../agent/journal/journal.ts';
import { listSegmentsSync } from '../../agent/journal/segment.ts';
import { append, type Bed, createBed } from '../support/journal/bed.ts';
import { deletionLine, numberedLine } from '../support/journal/numbered-lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { until } from '../support/until.ts';

const range = (cpu: number, firstSeq: number, lastSeq: number): DeletedRange => ({
  hookId: '5',
  cpu,
  firstSeq,
  lastSeq,
  count: lastSeq - firstSeq + 1,
});
const RESERVE_BYTES = 128 << 10;
const RANGES = [range(0, 1, 4), range(1, 1, 9)];

/** A journal whose first segment was about to be deleted when the agent died. */
function journalOf(t: TestContext, second: readonly string[], since = { segment: 2, offset: 0 }) {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  writeFileSync(join(bed.dir, segmentName(1)), `${numberedLine(0, '')}\n`);
  writeFileSync(join(bed.dir, segmentName(2)), second.map((line) => `${line}\n`).join(''));
  const deletions = JSON.stringify([{ segment: 1, since, runs: RANGES }]);
  writeFileSync(join(bed.dir, 'deletions.json'), deletions);
  return bed;
}

const noted = (bed: Bed) => existsSync(join(bed.dir, 'deletions.json'));

for (const [what, second, left] of [
  ['nothing', [], RANGES],
  ['a part', [deletionLine(range(0, 1, 4))], [range(1, 1, 9)]],
  ['another range', [deletionLine(range(0, 1, 3))], RANGES],
  ['all', RANGES.map(deletionLine), []],
] as const)
  test(`a start completes a deletion after which ${what} was recorded`, async (t) => {
    const bed = journalOf(t, [numberedLine(20, ''), ...second]);
    await (await bed.open()).close();
    assert.deepEqual(bed.ranges, left);
    assert.ok(!existsSync(join(bed.dir, segmentName(1))));
    assert.equal(noted(bed), left.length > 0);
  });

test('ranges that were recorded before the deletion began do not count towards it', async (t) => {
  const second = RANGES.map(deletionLine);
  const offset = second.reduce((sum, line) => sum + line.length + 1, 0);
  const bed = journalOf(t, second, { segment: 2, offset });
  await (await bed.open()).close();
  assert.deepEqual(bed.ranges, RANGES);
});

test('each start returns the ranges of a deletion until they are recorded', async (t) => {
  // A power cut removed the lines that were there when the deletion began.
  const bed = journalOf(t, [numberedLine(20, '')], { segment: 2, offset: 5000 });
  await (await bed.open()).close();
  await (await bed.open()).close();
  assert.deepEqual(bed.ranges, [...RANGES, ...RANGES]);
  const journal = await bed.open();
  const retired = await until('the ranges that are not recorded yet', () => {
    const ranges = journal.takeRetired();
    return ranges.length > 0 && ranges;
  });
  await append(journal, ...retired.map(deletionLine));
  await journal.close();
  assert.ok(!noted(bed));
  await (await bed.open()).close();
  assert.deepEqual(bed.ranges, [...RANGES, ...RANGES]);
});

const SINCE = { segment: 2, offset: 0 };

for (const note of [
  '[{',
  'null',
  '{}',
  '[null]',
  '[{"segment":1}]',
  JSON.stringify([{ segment: '../1', since: SINCE, runs: RANGES }]),
  JSON.stringify([{ segment: 1, since: null, runs: RANGES }]),
  JSON.stringify([{ segment: 1, since: SINCE, runs: [null] }]),
  JSON.stringify([{ segment: 1, since: SINCE, runs: [{ ...RANGES[0], hookId: 'x' }] }]),
  JSON.stringify([{ segment: 1, since: SINCE, runs: [{ ...RANGES[0], cpu: -1 }] }]),
  JSON.stringify([{ segment: 1, since: SINCE, runs: RANGES, unknownOf: 'x' }]),
])
  test(`a damaged deletions.json is reported as a problem, and deletes nothing: ${note}`, async (t) => {
    const bed = journalOf(t, []);
    writeFileSync(join(bed.dir, 'deletions.json'), note);
    await (await bed.open()).close();
    assert.match(
      bed.problems.join(),
      /^the journal’s file \S+deletions\.json is damaged; remove it; /,
    );
    assert.deepEqual(bed.ranges, []);
    assert.ok(
      existsSync(join(bed.dir, segmentName(1))) ||
        existsSync(join(bed.dir, `${segmentName(1)}.zst`)),
    );
  });

/** Appends lines until something is there, slowly enough for deletions to keep up. */
async function writeUntil(journal: Journal, isThere: () => boolean): Promise<void> {
  for (let n = 0; n < 500 && !isThere(); n++) {
    await append(journal, numberedLine(n, ''));
    await pause(5);
  }
}

const SMALL = { segmentMaxBytes: 200, maxBytes: 500 };
const isFirstGone = ({ dir }: Bed) => !listSegmentsSync(dir).some(({ number }) => number === 1);

test('a deletion that cannot be noted in a new file is noted in the reserve', async (t) => {
  const bed = createBed(t);
  // A folder in its place: nothing can be written there.
  mkdirSync(join(bed.dir, 'deletions.json.tmp', 'x'), { recursive: true });
  const journal = await bed.open(SMALL);
  await writeUntil(journal, () => isFirstGone(bed));
  await journal.close();
  assert.ok(isFirstGone(bed));
  assert.equal(statSync(join(bed.dir, 'deletions.json')).size, RESERVE_BYTES);
  const [note] = JSON.parse(readFileSync(join(bed.dir, 'deletions.json'), 'utf8'));
  assert.equal(note.segment, 1);
  assert.equal(note.runs[0].firstSeq, 1);
});

test('a segment stays while its deletion can be noted nowhere, and is deleted once it can', async (t) => {
  const bed = createBed(t);
  const obstacles = ['deletions.json.tmp', 'deletions.json.reserve'];
  for (const name of obstacles) mkdirSync(join(bed.dir, name, 'x'), { recursive: true });
  const journal = await bed.open(SMALL);
  await writeUntil(journal, () => listSegmentsSync(bed.dir).length > 8);
  assert.ok(bed.problems.length > 0);
  assert.equal(bed.ranges.length, 0);
  assert.ok(!isFirstGone(bed));
  for (const name of obstacles) rmSync(join(bed.dir, name), { recursive: true });
  await writeUntil(journal, () => isFirstGone(bed));
  await journal.close();
  assert.equal(bed.ranges[0]?.firstSeq, 1);
});

test('a reserve that another program has changed is made again', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const file = join(bed.dir, 'deletions.json.reserve');
  symlinkSync(join(bed.root, 'elsewhere'), file);
  await (await bed.open()).close();
  assert.equal(lstatSync(file).size, RESERVE_BYTES);
  writeFileSync(file, 'short');
  await (await bed.open()).close();
  assert.equal(statSync(file).size, RESERVE_BYTES);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('only its owner can read deletions.json', async (t) => {
  const bed = journalOf(t, []);
  await (await bed.open()).close();
  const file = join(bed.dir, 'deletions.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), [
    { segment: 1, since: { segment: 2, offset: 0 }, runs: RANGES },
  ]);
});

test('a deletion whose loss is in the segment that is deleted next is noted no more', async (t) => {
  const { dir } = createBed(t);
  mkdirSync(dir);
  const first = new Deletions(dir, { segment: 2, offset: 0 });
  await first.announce(1, { ranges: [range(0, 1, 4)], unknownOf: undefined });
  await first.delete(1);
  first.note(Buffer.from(deletionLine(range(0, 1, 4))), { segment: 2, offset: 500 });
  first.end = { segment: 3, offset: 0 };
  await first.announce(2, { ranges: [range(0, 1, 8)], unknownOf: '4' });
  await first.delete(2);
  const second = new Deletions(dir, { segment: 3, offset: 0 });
  const left = await second.resume(assert.ifError);
  assert.deepEqual(
    left.map(({ ranges, unknownOf }) => ({ ranges, unknownOf })),
    [{ ranges: [range(0, 1, 8)], unknownOf: '4' }],
  );
});

const LOSS_OF_UNKNOWN = '"vcml.loss.stage":"retention","vcml.loss.hook_id"';

for (const [line, isLeft] of [
  [deletionLine(range(0, 1, 4)), true],
  [`{"attributes":{${LOSS_OF_UNKNOWN}:"4"}}`, true],
  [`{"attributes":{${LOSS_OF_UNKNOWN}:"5"}}`, false],
] as const)
  test(`a start ${isLeft ? 'records' : 'does not record again'} a deletion of unknown numbers after ${line.slice(0, 80)}`, async (t) => {
    const bed = journalOf(t, [numberedLine(20, ''), line]);
    const deletion = { segment: 1, since: SINCE, runs: [], unknownOf: '5' };
    writeFileSync(join(bed.dir, 'deletions.json'), JSON.stringify([deletion]));
    const journal = await bed.open();
    await journal.close();
    assert.deepEqual(journal.takeRetiredUnknown(), isLeft ? ['5'] : []);
    assert.deepEqual(bed.ranges, []);
    assert.ok(!existsSync(join(bed.dir, segmentName(1))));
    assert.equal(noted(bed), isLeft);
  });

test('a start records a deletion again if the segment that may have its loss cannot be read', async (t) => {
  const bed = journalOf(t, [], { segment: 3, offset: 0 });
  writeFileSync(join(bed.dir, `${segmentName(3)}.zst`), 'not zstd');
  await (await bed.open()).close();
  assert.deepEqual(bed.ranges, RANGES);
  assert.ok(noted(bed));
  assert.equal(bed.problems.length, 1);
});

test('a noted deletion removes no new segment after somebody has removed all of them', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const deletions = JSON.stringify([
    { segment: 1, since: { segment: 9, offset: 0 }, runs: RANGES },
  ]);
  writeFileSync(join(bed.dir, 'deletions.json'), deletions);
  const journal = await bed.open();
  await append(journal, numberedLine(0, ''));
  await until('the noted ranges', () => bed.ranges.length > 0);
  await journal.close();
  assert.ok(existsSync(join(bed.dir, segmentName(1))));
});
