import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { listSegmentsSync } from '../../../agent/journal/segment.ts';
import { append, createBed, linesOf, numbered } from '../../support/journal/bed.ts';
import { numberedLine } from '../../support/journal/numbered-lines.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { until } from '../../support/until.ts';

/** A journal on a file system of this size, which the test can fill. */
function onTmpfs(t: TestContext, size: string) {
  const bed = createBed(t);
  bed.mount(size);
  const filler = join(bed.dir, 'filler');
  return {
    bed,
    fill: () => spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' }),
    empty: () => rmSync(filler),
  };
}

test('a full disk keeps no part of a batch, and the same batch is written once there is space', async (t) => {
  const { bed, fill, empty } = onTmpfs(t, '1m');
  const journal = await bed.open();
  await append(journal, 'one');
  fill();
  const batch = numbered(0, 2000);
  for (let attempt = 0; attempt < 3; attempt++)
    await assert.rejects(append(journal, ...batch), { code: 'JOURNAL_FULL', message: /ENOSPC/ });
  assert.equal(readFileSync(join(bed.dir, segmentName(1)), 'utf8'), 'one\n');
  assert.deepEqual(journal.position, { segment: 1, offset: 4 });
  empty();
  await append(journal, ...batch);
  await append(journal, 'last');
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), ['one', ...batch, 'last']);
});

test('on a full disk segments are closed and compressed as far as there is space', async (t) => {
  const { bed, fill, empty } = onTmpfs(t, '1m');
  const journal = await bed.open({ segmentMaxBytes: 4000 });
  const lines = numbered(0, 3000);
  for (const line of lines.slice(0, 1000)) await append(journal, line);
  fill();
  let written = 1000;
  const writeOn = async () => {
    for (; written < lines.length; written++) await append(journal, lines[written] ?? '');
  };
  for (let attempt = 0; attempt < 5; attempt++) {
    await assert.rejects(writeOn, { code: 'JOURNAL_FULL' });
    await pause(5);
  }
  assert.deepEqual(linesOf(bed.dir), lines.slice(0, written));
  empty();
  await writeOn();
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), lines);
});

test('a batch that was refused is written at the same position, even if its segment was due', async (t) => {
  const bed = createBed(t);
  bed.mount('1m');
  const filler = join(bed.dir, 'filler');
  const journal = await bed.open({ segmentMaxAgeMs: 50 });
  await append(journal, 'one');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
  const batch = numbered(0, 1000);
  await assert.rejects(append(journal, ...batch), {
    code: 'JOURNAL_FULL',
    message: /on tmpfs at .* \(0 MiB free\): ENOSPC.* journalMaxBytes \(\d+\)/,
  });
  await pause(80);
  rmSync(filler);
  await append(journal, ...batch);
  assert.equal(journal.position.segment, 1);
  await append(journal, 'last');
  assert.equal(journal.position.segment, 2);
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), ['one', ...batch, 'last']);
});

test('a segment that could not be compressed on a full disk is compressed once there is space', async (t) => {
  const bed = createBed(t);
  bed.mount('490k');
  const noise = () => `"${randomBytes(105_000).toString('base64')}"`;
  const journal = await bed.open({ segmentMaxBytes: 100_000 });
  const reserve = join(bed.dir, 'deletions.json.reserve');
  await until(
    'the reserve',
    () => statSync(reserve, { throwIfNoEntry: false })?.size === 128 << 10,
  );
  await append(journal, noise());
  await append(journal, noise());
  await until('a problem', () => bed.problems.length > 0);
  assert.match(bed.problems[0] ?? '', /ENOSPC/);
  const files = () => readdirSync(bed.dir).filter((file) => /^\d/.test(file));
  await until('only plain segments', () => `${files()}` === `${[segmentName(1), segmentName(2)]}`);
  execFileSync('mount', ['-o', 'remount,size=1m', bed.dir]);
  await append(journal, 'last');
  await until('both', () => listSegmentsSync(bed.dir).filter((one) => one.compressed).length === 2);
  await journal.close();
  assert.equal(linesOf(bed.dir).length, 3);
});

for (const [title, prepare] of [
  ['', () => {}],
  [
    ', also where an older version left no reserve for the note',
    (dir: string) => {
      rmSync(join(dir, 'deletions.json.reserve'));
      writeFileSync(join(dir, 'state.json'), JSON.stringify({ position: 'x'.repeat(2000) }));
    },
  ],
] as const)
  test(`a deletion for space is noted before it happens although the disk is full${title}`, async (t) => {
    const bed = createBed(t);
    bed.mount('1m');
    // What can be compressed would make room.
    const noise = () => randomBytes(750).toString('base64');
    const first = await bed.open({ segmentMaxBytes: 40_000 });
    for (let n = 0; n < 200; n++) await append(first, numberedLine(n, noise()));
    await first.close();
    prepare(bed.dir);
    const filler = join(bed.dir, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
    const second = await bed.open({ segmentMaxBytes: 40_000, maxBytes: 100_000 });
    await until('a deletion', () => !listSegmentsSync(bed.dir).some(({ number }) => number === 1));
    // The disk is full, so that nothing of this is recorded before the agent is killed.
    await second.close();
    const third = await bed.open();
    const ranges = await until('the note', () => {
      const retired = third.takeRetired();
      return retired.length > 0 && retired;
    });
    assert.equal(ranges[0]?.firstSeq, 1);
    await third.close();
  });
