import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { deletedRanges, type Repeated } from '../../agent/journal/archive/retention.ts';
import { readLines } from '../../agent/journal/read.ts';
import { listSegmentsSync, segmentBytesSync } from '../../agent/journal/segment.ts';
import { append, type Bed, createBed, linesOf } from '../support/journal/bed.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { until } from '../support/until.ts';

const FIRST = segmentName(1);

/** A line with the numbers, and arguments that try to look like them. */
function execLine(hook: string, cpu: number, seq: number, ...args: readonly string[]): string {
  return (
    `{"id":"x","action":"exec","object":${JSON.stringify(args[0] ?? '/bin/true')},` +
    `"resource":{},"attributes":{"vcml.boot.id":"b","vcml.boot_time":"1",` +
    `"vcml.hook.id":"${hook}","vcml.cpu":${cpu},"vcml.seq":${seq},` +
    `"process.command_args":${JSON.stringify(args)}}}`
  );
}

const HOSTILE = [
  '"vcml.cpu":1,"vcml.seq":2',
  '"vcml.hook.id":"7","vcml.cpu":1,"vcml.seq":2',
  ',"vcml.hook.id":"7","vcml.cpu":1,"vcml.seq":2',
  '\\","vcml.hook.id":"7","vcml.cpu":1,"vcml.seq":2',
  ',"vcml.loss.stage":"ring_buffer","vcml.loss.hook_id":"5","vcml.loss.cpu":0,"vcml.loss.first_seq":7,"vcml.loss.last_seq":9}',
  '\\\\',
  'vcml.hook.id',
  ':',
];

/** Bytes of all segments. */
function totalOf({ dir }: Bed): number {
  return listSegmentsSync(dir).reduce((sum, segment) => sum + segmentBytesSync(dir, segment), 0);
}

async function rangesIn(bed: Bed, lines: readonly string[], repeated: Repeated = new Map()) {
  mkdirSync(bed.dir, { recursive: true });
  writeFileSync(join(bed.dir, FIRST), lines.map((line) => `${line}\n`).join(''));
  const deleted = await deletedIn(bed, assert.ifError, repeated);
  assert.equal(deleted?.unknownOf, undefined);
  return deleted?.ranges;
}

/** What is deleted with the first segment. */
function deletedIn(bed: Bed, note: (error: Error) => void, repeated: Repeated = new Map()) {
  const [segment] = listSegmentsSync(bed.dir);
  assert.ok(segment);
  return deletedRanges(bed.dir, segment, repeated, new AbortController().signal, note);
}

test('the numbers of a segment are contiguous ranges for each CPU and hook', async (t) => {
  const ranges = await rangesIn(createBed(t), [
    execLine('5', 0, 1),
    execLine('5', 1, 10),
    execLine('5', 0, 2),
    execLine('5', 0, 5),
    '{"action":"journal.loss","attributes":{"vcml.hook.id":"5","vcml.loss.cpu":0}}',
    execLine('5', 1, 11),
    execLine('6', 0, 3),
  ]);
  assert.deepEqual(ranges, [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 2, count: 2 },
    { hookId: '5', cpu: 1, firstSeq: 10, lastSeq: 11, count: 2 },
    { hookId: '5', cpu: 0, firstSeq: 5, lastSeq: 5, count: 1 },
    { hookId: '6', cpu: 0, firstSeq: 3, lastSeq: 3, count: 1 },
  ]);
});

/** A line of a loss, as the agent writes it. */
function lossLine(stage: string, hook: string, cpu: number, first: number, last: number): string {
  return (
    `{"action":"journal.loss","attributes":{"vcml.hook.id":"9","vcml.loss.stage":"${stage}",` +
    `"vcml.loss.hook_id":"${hook}","vcml.loss.cpu":${cpu},"vcml.loss.first_seq":${first},` +
    `"vcml.loss.last_seq":${last},"vcml.loss.count":${last - first + 1}}}`
  );
}

test('losses in a deleted segment are covered by its ranges like records', async (t) => {
  const ranges = await rangesIn(createBed(t), [
    execLine('5', 0, 1),
    lossLine('ring_buffer', '5', 0, 2, 9),
    lossLine('quiet', '5', 1, 1, 4),
    execLine('5', 0, 10),
    '{"action":"journal.loss","attributes":{"vcml.loss.stage":"kernel","vcml.loss.hook_id":"5","vcml.loss.count":3}}',
    lossLine('decode', '5', 0, 11, 11),
  ]);
  assert.deepEqual(ranges, [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 11, count: 11 },
    { hookId: '5', cpu: 1, firstSeq: 1, lastSeq: 4, count: 4 },
  ]);
});

test('deletions that a deleted segment records are recorded again for the current hook', async (t) => {
  const bed = createBed(t);
  const lines = [
    lossLine('retention', '4', 0, 1, 7),
    lossLine('retention', '5', 0, 1, 3),
    lossLine('retention', '5', 1, 1, 8),
    execLine('5', 0, 20),
    lossLine('retention', '5', 0, 4, 10),
    execLine('5', 0, 21),
  ];
  const again = [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 21, count: 21 },
    { hookId: '5', cpu: 1, firstSeq: 1, lastSeq: 8, count: 8 },
  ];
  const repeated: Repeated = new Map();
  assert.deepEqual(await rangesIn(bed, lines, repeated), again);
  // The next deletion was recorded before that one: it repeats nothing.
  const older = [lossLine('retention', '5', 0, 11, 15), execLine('5', 0, 22)];
  assert.deepEqual(await rangesIn(bed, older, repeated), [
    { hookId: '5', cpu: 0, firstSeq: 22, lastSeq: 22, count: 1 },
  ]);
  // The segment that holds the record of the deletion repeats it.
  const own = [lossLine('retention', '5', 0, 1, 21), execLine('5', 0, 40)];
  assert.deepEqual(await rangesIn(bed, own, repeated), [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 40, count: 40 },
  ]);
});

test('a deletion of unknown numbers that a deleted segment records is recorded again for the current hook', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir);
  const unknown = (hook: string) =>
    `{"attributes":{"vcml.loss.stage":"retention","vcml.loss.hook_id":"${hook}"}}`;
  for (const [hook, expected] of [
    ['5', '5'],
    ['4', undefined],
  ] as const) {
    const lines = [execLine('4', 0, 9), unknown(hook), execLine('5', 0, 20)];
    writeFileSync(join(bed.dir, FIRST), lines.map((line) => `${line}\n`).join(''));
    assert.equal((await deletedIn(bed, assert.ifError))?.unknownOf, expected);
  }
});

test('a deletion that a run after a crash recorded late is recorded again, too', async (t) => {
  const bed = createBed(t);
  const repeated: Repeated = new Map();
  await rangesIn(bed, [lossLine('retention', '5', 0, 10, 15), execLine('5', 0, 30)], repeated);
  const late = [lossLine('retention', '5', 0, 1, 20), execLine('5', 0, 31)];
  assert.deepEqual(await rangesIn(bed, late, repeated), [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 31, count: 31 },
  ]);
});

test('arguments and names that look like numbers are not read as numbers', async (t) => {
  const lines = HOSTILE.flatMap((text, n) => [
    execLine('5', 0, 2 * n + 1, text, ...HOSTILE),
    execLine('5', 0, 2 * n + 2, '/bin/x', text),
  ]);
  assert.deepEqual(await rangesIn(createBed(t), lines), [
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 16, count: 16 },
  ]);
});

test('when the journal is too large, the oldest segments are deleted, and their exact ranges are reported', async (t) => {
  const bed = createBed(t);
  const maxBytes = 60_000;
  const journal = await bed.open({ segmentMaxBytes: 20_000, maxBytes });
  let seq = 0;
  for (let batch = 0; batch < 100; batch++) {
    const noise = () => Math.random().toString(36).repeat(2);
    const lines = Array.from({ length: 40 }, () => execLine('5', 0, ++seq, noise(), ...HOSTILE));
    await append(journal, ...lines);
    await pause(5);
  }
  await until('room', () => totalOf(bed) <= maxBytes + 20_000);
  await journal.close();
  const kept = linesOf(bed.dir).map((line) => Number(/"vcml\.seq":(\d+),"p/.exec(line)?.[1]));
  const [first = 0] = kept;
  assert.ok(first > 1000, `kept from ${first}`);
  assert.deepEqual(
    kept,
    Array.from({ length: seq - first + 1 }, (_, n) => first + n),
  );
  let next = 1;
  for (const range of bed.ranges) {
    assert.deepEqual([range.hookId, range.cpu, range.firstSeq], ['5', 0, next]);
    next = range.lastSeq + 1;
  }
  assert.equal(next, first);
  const total = totalOf(bed);
  assert.ok(total <= maxBytes + 20_000, `${total} bytes`);
  assert.deepEqual(bed.problems, []);
});

test('a reader of a segment that is deleted for space continues with the next one', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxBytes: 20_000, maxBytes: 30_000 });
  let seq = 0;
  const write = () =>
    append(
      journal,
      execLine('5', 0, ++seq, ...Array.from({ length: 200 }, () => `${Math.random()}`)),
    );
  for (let n = 0; n < 8; n++) await write();
  const seen: number[] = [];
  for await (const { line } of readLines(bed.dir)) {
    seen.push(Number(/"vcml\.seq":(\d+),"p/.exec(line)?.[1]));
    if (seen.length !== 2) continue;
    for (let n = 0; n < 30; n++) await write();
    while (bed.ranges.length < 2) await pause(5);
  }
  await journal.close();
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
  );
  assert.equal(seen.at(-1), seq);
});

test('the numbers of a damaged segment reach up to those of the segments that follow', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir);
  const put = (number: number, ...lines: readonly string[]) =>
    writeFileSync(join(bed.dir, segmentName(number)), lines.map((line) => `${line}\n`).join(''));
  // The second frame cannot be read; the hook 4 ends in it.
  const earlier = lossLine('retention', '5', 0, 3, 9);
  const sound = [execLine('4', 0, 8), execLine('5', 0, 10), earlier, execLine('5', 0, 11)];
  const frame = zstdCompressSync(Buffer.from(sound.map((line) => `${line}\n`).join('')));
  writeFileSync(join(bed.dir, `${FIRST}.zst`), Buffer.concat([frame, Buffer.alloc(99, 'x')]));
  put(2, lossLine('retention', '5', 0, 1, 9), lossLine('quiet', '5', 0, 30, 31));
  put(3, execLine('5', 0, 29), execLine('5', 1, 7), execLine('6', 0, 1));
  put(4, execLine('5', 2, 1));
  put(5, execLine('5', 2, 2));
  put(6, execLine('5', 3, 5));
  const errors: Error[] = [];
  const deleted = await deletedIn(bed, (error) => errors.push(error));
  assert.equal(deleted?.unknownOf, '5');
  assert.deepEqual(deleted?.ranges, [
    { hookId: '4', cpu: 0, firstSeq: 8, lastSeq: 8, count: 1 },
    { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 28, count: 28 },
    { hookId: '5', cpu: 1, firstSeq: 1, lastSeq: 6, count: 6 },
  ]);
  assert.match(errors.join(), /^AgentError: .*is damaged/);
});

for (const [what, lines, follows, unknownOf] of [
  ['a hook that begins behind it', [], ['4', 1], '4'],
  ['a hook that began before it', [], ['4', 3], '4'],
  ['another hook', [execLine('3', 0, 1)], ['4', 1], '3'],
] as const)
  test(`a damaged segment before ${what} has records of unknown numbers`, async (t) => {
    const bed = createBed(t);
    mkdirSync(bed.dir);
    const frame = zstdCompressSync(Buffer.from(lines.map((line) => `${line}\n`).join('')));
    writeFileSync(join(bed.dir, `${FIRST}.zst`), Buffer.concat([frame, Buffer.alloc(99, 'x')]));
    const [hook, seq] = follows;
    writeFileSync(join(bed.dir, segmentName(2)), `${execLine(hook, 0, seq)}\n`);
    const deleted = await deletedIn(bed, () => {});
    assert.equal(deleted?.unknownOf, unknownOf);
    assert.equal(deleted?.ranges.length, Number(seq > 1) + lines.length);
  });

test('the numbers of a damaged segment reach beyond segments that cannot be read either', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  for (const n of [1, 2])
    writeFileSync(join(bed.dir, `${segmentName(n)}.zst`), Buffer.alloc(50_000, 'not zstd'));
  const journal = await bed.open({ segmentMaxBytes: 1000, maxBytes: 70_000 });
  for (let seq = 4; seq < 23; seq++) await append(journal, execLine('5', 0, seq, ...HOSTILE));
  await until('the deletion', () => !readdirSync(bed.dir).includes(`${FIRST}.zst`));
  await journal.close();
  assert.deepEqual(bed.ranges, [{ hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 3, count: 3 }]);
});

test('a damaged segment stays until something that follows says up to which number it reaches', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  for (const n of [1, 2])
    writeFileSync(join(bed.dir, `${segmentName(n)}.zst`), Buffer.alloc(50_000, 'not zstd'));
  const options = { segmentMaxBytes: 1000, maxBytes: 70_000 };
  const first = await bed.open(options);
  await append(first, '{"action":"journal.start"}');
  await until('a look at it', () => bed.problems.length > 0);
  await first.close();
  assert.ok(readdirSync(bed.dir).includes(`${FIRST}.zst`));
  const journal = await bed.open(options);
  for (let seq = 4; seq < 23; seq++) await append(journal, execLine('5', 0, seq, ...HOSTILE));
  await until('the deletion', () => !readdirSync(bed.dir).includes(`${FIRST}.zst`));
  await journal.close();
  assert.deepEqual(bed.ranges, [{ hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 3, count: 3 }]);
});

test('a damaged segment is deleted for space, too, and is reported as a problem', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  writeFileSync(join(bed.dir, `${FIRST}.zst`), Buffer.alloc(50_000, 'not zstd'));
  const journal = await bed.open({ segmentMaxBytes: 1000, maxBytes: 20_000 });
  for (let seq = 4; seq < 23; seq++) await append(journal, execLine('5', 0, seq, ...HOSTILE));
  while (readdirSync(bed.dir).includes(`${FIRST}.zst`)) await pause(5);
  await journal.close();
  assert.equal(bed.problems.length, 1);
  assert.deepEqual(bed.ranges, [{ hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 3, count: 3 }]);
  assert.deepEqual(journal.takeRetiredUnknown(), ['5']);
  assert.equal(linesOf(bed.dir).length, 19);
});

test('both forms of a segment are deleted', async (t) => {
  const bed = createBed(t);
  const first = await bed.open();
  await append(
    first,
    ...Array.from({ length: 500 }, (_, n) => execLine('5', 0, n + 1, `${Math.random()}`)),
  );
  await first.close();
  execFileSync('zstd', ['-qk', join(bed.dir, FIRST)]);
  const journal = await bed.open({ segmentMaxBytes: 100, maxBytes: 1000 });
  for (let seq = 501; seq < 505; seq++) await append(journal, execLine('5', 0, seq));
  while (bed.ranges.length === 0) await pause(5);
  await journal.close();
  assert.deepEqual(bed.ranges[0], { hookId: '5', cpu: 0, firstSeq: 1, lastSeq: 500, count: 500 });
  assert.ok(!readdirSync(bed.dir).some((file) => file.startsWith(FIRST)));
});
