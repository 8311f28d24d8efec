import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lossesOf } from '../../../agent/run/resume/doubts.ts';
import { readContinuity } from '../../../agent/run/resume/resume.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { exec, line, loss, start } from './lines.ts';

/** The lines of a segment; undefined: it cannot be read, and null: it is gone. */
type Segment = readonly string[] | undefined | null;

const RING = 'ring_buffer';
const STARTS = start('attached', [1, 1]);
const RESUMES = start('resumed', [9, 9]);
const FORMER = [STARTS, exec(0, 1)].map((text) => text.replaceAll('"5"', '"4"'));

/** A journal of these segments, from 1 on; all but the last are compressed. */
function journalOf(t: TestContext, segments: readonly Segment[]): string {
  const dir = temporaryFolder(t);
  for (const [n, lines] of segments.entries()) {
    const file = join(dir, segmentName(n + 1));
    if (lines === undefined) writeFileSync(`${file}.zst`, 'damaged');
    if (!lines) continue;
    writeFileSync(file, lines.join(''));
    if (n < segments.length - 1) execFileSync('zstd', ['-q', '--rm', file]);
  }
  return dir;
}

/** What the attached hook's next run knows about the first numbers of two CPUs. */
async function known(dir: string, nextSeq: readonly number[], readSeq: readonly number[] = []) {
  const continuity = await readContinuity(dir, { hookId: '5', readSeq }, () => {});
  const losses = lossesOf(continuity, '5', nextSeq);
  const word = (cpu: number, seq: number) => {
    const isLost = losses.has(cpu, seq);
    return isLost === undefined ? '?' : isLost ? 'x' : '.';
  };
  return nextSeq.map((next, cpu) =>
    Array.from({ length: next - 1 }, (_, n) => word(cpu, n + 1)).join(''),
  );
}

/** What cannot be read, the journal, and what is known then: lost (x), not lost, or neither. */
const CASES: readonly (readonly [string, readonly Segment[], readonly string[]])[] = [
  [
    'nothing',
    [
      [STARTS, exec(0, 1), exec(1, 1), loss(RING, 0, 2, 3)],
      [exec(0, 4), exec(1, 2)],
    ],
    ['.xx.', '..'],
  ],
  [
    'a segment between others',
    [[STARTS, exec(0, 1), exec(1, 1)], undefined, [exec(0, 4), loss(RING, 0, 5, 6), exec(0, 7)]],
    ['.??.xx.', '.??'],
  ],
  [
    'the first segment',
    [undefined, [exec(0, 4), loss(RING, 1, 2, 2), exec(1, 3)]],
    ['???.', '?x.'],
  ],
  ['the last segment', [[STARTS, exec(0, 1)], undefined, []], ['.??', '??']],
  ['all segments', [undefined, undefined, []], ['??', '??']],
  [
    'a segment that somebody removed',
    [[STARTS, exec(0, 1)], null, [exec(0, 3), exec(1, 2)]],
    ['.?.', '?.'],
  ],
  [
    'the first segments, which somebody removed',
    [null, null, [exec(0, 3), exec(1, 2)]],
    ['??.', '?.'],
  ],
  ['a line', [[STARTS, exec(0, 1), 'noise\n', exec(0, 3), exec(1, 1)]], ['.?.', '.']],
  [
    'a segment of a former hook, or of this one',
    [FORMER, undefined, [RESUMES, exec(0, 9)]],
    ['????????.', '????????'],
  ],
  [
    'a segment of a former hook alone',
    [undefined, FORMER, [STARTS, exec(0, 1), exec(1, 1)]],
    ['.', '.'],
  ],
  [
    'what was recorded in another journal',
    [[RESUMES, exec(0, 9), loss(RING, 1, 9, 9)]],
    ['.........', '........x'],
  ],
  [
    'what was deleted for space before the first start that is left',
    [null, [RESUMES, loss('retention', 0, 1, 8), loss('retention', 1, 3, 8), exec(0, 9)]],
    ['????????.', '..??????'],
  ],
  [
    'what was deleted for space',
    [null, [loss('retention', 0, 1, 3), loss(RING, 1, 2, 2), exec(0, 4), exec(1, 3)]],
    ['???.', '.x.'],
  ],
  [
    'a damaged segment that was deleted for space',
    [
      null,
      [
        line('journal.loss', { 'vcml.loss.stage': 'retention', 'vcml.loss.hook_id': '5' }),
        loss('retention', 0, 1, 3),
        exec(0, 4),
        exec(1, 3),
      ],
    ],
    ['???.', '??.'],
  ],
];

for (const [what, segments, expected] of CASES)
  test(`without a checkpoint it is not known what is lost of ${what}`, async (t) => {
    const dir = journalOf(t, segments);
    const nextSeq = expected.map((words) => words.length + 1);
    assert.deepEqual(await known(dir, nextSeq), expected);
    // The kernel knows all numbers, so that only lines that say more are read of older segments.
    const readSeq = nextSeq.map((next) => next - 1);
    assert.deepEqual(await known(dir, nextSeq, readSeq), expected);
  });

test('a deletion that is noted, and not recorded yet, leaves doubts, too', async (t) => {
  const dir = journalOf(t, [null, [exec(0, 4), exec(1, 3)]]);
  const runs = [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 3, count: 3 },
    { hookId: '5', cpu: 1, firstSeq: 1, lastSeq: 2, count: 2 },
    { hookId: '4', cpu: 1, firstSeq: 1, lastSeq: 9, count: 9 },
  ];
  const deletions = [{ segment: 1, since: { segment: 2, offset: 0 }, runs }];
  writeFileSync(join(dir, 'deletions.json'), JSON.stringify(deletions));
  assert.deepEqual(await known(dir, [5, 4]), ['???.', '??.']);
  writeFileSync(join(dir, 'deletions.json'), 'damaged');
  assert.deepEqual(await known(dir, [5, 4]), ['???.', '??.']);
});

const CHECKPOINT = {
  bootId: 'boot',
  hookId: '5',
  nextSeq: [4, 3],
  losses: [[2, 2]],
  position: { segment: 2, offset: 0 },
};

test('what a checkpoint knows is not in doubt, whatever happened to its segments', async (t) => {
  for (const first of [undefined, null, FORMER])
    for (const second of [[], [loss('retention', 0, 1, 3)]]) {
      const dir = journalOf(t, [first, [...second, exec(0, 4), exec(1, 3)]]);
      writeFileSync(join(dir, 'state.json'), JSON.stringify(CHECKPOINT));
      assert.deepEqual(await known(dir, [5, 4]), ['.x..', '...']);
    }
});

test('what follows a checkpoint and cannot be read is in doubt', async (t) => {
  const dir = journalOf(t, [null, undefined, [exec(0, 6), exec(1, 4)]]);
  writeFileSync(join(dir, 'state.json'), JSON.stringify(CHECKPOINT));
  assert.deepEqual(await known(dir, [7, 5]), ['.x.??.', '..?.']);
  const whole = journalOf(t, [null, undefined, []]);
  writeFileSync(join(whole, 'state.json'), JSON.stringify(CHECKPOINT));
  assert.deepEqual(await known(whole, [6, 3]), ['.x.??', '..']);
});

test('a hook without a record has no losses', async (t) => {
  for (const segments of [[undefined, FORMER, []], [FORMER, undefined, []], [[]], []])
    assert.deepEqual(await known(journalOf(t, segments), [1, 1]), ['', '']);
});
