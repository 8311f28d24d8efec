import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  append,
  createBed,
  ended,
  linesOf,
  numbered,
  RESERVE,
  startWriter,
} from '../support/journal/bed.ts';
import { indexName, segmentName } from '../support/journal/segment-name.ts';

test('lines continue in the newest segment after a restart', async (t) => {
  const bed = createBed(t);
  for (const line of ['one', 'two', 'three']) {
    const journal = await bed.open();
    await append(journal, line);
    await journal.close();
  }
  assert.equal(readFileSync(join(bed.dir, segmentName(1)), 'utf8'), 'one\ntwo\nthree\n');
  assert.deepEqual(bed.problems, []);
});

test('a torn last line of any length is cut and counted', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const file = join(bed.dir, segmentName(1));
  const whole = '{"n":0}\n{"n":1}\n';
  const last = Buffer.from('{"n":2,"é":"\u2028"}');
  for (let length = 0; length <= last.length; length++) {
    writeFileSync(file, Buffer.concat([Buffer.from(whole), last.subarray(0, length)]));
    const journal = await bed.open();
    assert.deepEqual(journal.recovered, { tornBytes: length, segment: 1 });
    assert.deepEqual(journal.position, { segment: 1, offset: whole.length });
    await append(journal, '{"n":3}');
    await journal.close();
    assert.equal(readFileSync(file, 'utf8'), `${whole}{"n":3}\n`);
  }
});

test('lines are cut from the first byte that a power cut left unwritten, wherever it is', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const file = join(bed.dir, segmentName(1));
  const text = Buffer.from('{"n":0}\n{"n":1}\n{"n":"é"}\n');
  for (let hole = 0; hole < text.length; hole++) {
    writeFileSync(
      file,
      Buffer.from(text).fill(0, hole, Math.min(hole + 1 + (hole % 7), text.length)),
    );
    const whole = text.subarray(0, hole).lastIndexOf('\n') + 1;
    const journal = await bed.open();
    assert.deepEqual(journal.recovered, { tornBytes: text.length - whole, segment: 1 });
    await append(journal, 'next');
    await journal.close();
    assert.equal(readFileSync(file, 'utf8'), `${text.toString('utf8', 0, whole)}next\n`);
  }
});

test('a torn line of several MiB is cut, even if the segment holds nothing else', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  for (const [before, bytes] of [
    ['', 3 << 20],
    ['one\n', 3 << 20],
    ['one\n', (64 << 10) - 4],
    ['one\n', 64 << 10],
    ['\n', 1],
  ] as const) {
    writeFileSync(join(bed.dir, segmentName(1)), before + 'x'.repeat(bytes));
    const journal = await bed.open();
    assert.deepEqual(journal.recovered, { tornBytes: bytes, segment: 1 });
    await append(journal, 'two');
    await journal.close();
    assert.deepEqual(linesOf(bed.dir), [...before.split('\n').slice(0, -1), 'two']);
  }
});

test('lines of several MiB are written and read whole, plain and compressed', async (t) => {
  const bed = createBed(t);
  const lines = [5, 1, 3].map((mib) => 'é'.repeat(mib << 19));
  const journal = await bed.open({ segmentMaxBytes: 4 << 20 });
  for (const line of lines) await append(journal, line);
  assert.deepEqual(linesOf(bed.dir), lines);
  await compressed(bed.dir, 1);
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), lines);
});

test('zstd reads a closed segment', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxBytes: 1000 });
  const lines = numbered(0, 300);
  for (const line of lines) await append(journal, line);
  await compressed(bed.dir, 2);
  await journal.close();
  const text = readdirSync(bed.dir)
    .filter((file) => !file.endsWith('.index'))
    .sort()
    .map((file) => join(bed.dir, file))
    .map((file) =>
      file.endsWith('.zst')
        ? execFileSync('zstd', ['-dcq', file], { encoding: 'utf8' })
        : readFileSync(file, 'utf8'),
    );
  assert.deepEqual(text.join('').trimEnd().split('\n'), lines);
});

test('an empty segment has no age, and is removed when the journal is closed', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxAgeMs: 0 });
  assert.equal(journal.position.segment, 1);
  await journal.close();
  assert.deepEqual(readdirSync(bed.dir), [RESERVE]);
});

test('a compression that a crash interrupted is cleaned up', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const put = (file: string, lines: readonly string[]) =>
    writeFileSync(join(bed.dir, file), lines.map((line) => `${line}\n`).join(''));
  // 1: both forms; 2: half of the compressed one; 3: not begun; 4: both and a half; 5: the newest
  for (const n of [1, 2, 3, 4, 5]) put(segmentName(n), numbered(n * 10, n * 10 + 10));
  for (const n of [1, 4]) execFileSync('zstd', ['-qk', join(bed.dir, segmentName(n))]);
  for (const n of [2, 4, 5]) put(`${segmentName(n)}.zst.tmp`, ['half']);
  for (const n of [1, 2, 3]) put(indexName(n), ['of the same number']);
  put(`${indexName(3)}.tmp`, ['half']);
  const expected = numbered(10, 60);
  assert.deepEqual(linesOf(bed.dir), expected);
  const journal = await bed.open();
  await append(journal, 'new');
  assert.deepEqual(linesOf(bed.dir), [...expected, 'new']);
  await compressed(bed.dir, 4);
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), [...expected, 'new']);
  // 4 was compressed by another program.
  assert.deepEqual(readdirSync(bed.dir).sort(), [
    ...[1, 2, 3].flatMap((n) => [indexName(n), `${segmentName(n)}.zst`]),
    `${segmentName(4)}.zst`,
    segmentName(5),
    RESERVE,
  ]);
  assert.deepEqual(bed.problems, []);
});

test('when the newest segment is compressed, a new one begins', async (t) => {
  const bed = createBed(t);
  const first = await bed.open();
  await append(first, 'one');
  await first.close();
  execFileSync('zstd', ['-q', '--rm', join(bed.dir, segmentName(1))]);
  const second = await bed.open();
  assert.deepEqual(second.position, { segment: 2, offset: 0 });
  await append(second, 'two');
  await second.close();
  assert.deepEqual(linesOf(bed.dir), ['one', 'two']);
});

test('foreign files in the folder are left alone', async (t) => {
  const bed = createBed(t);
  mkdirSync(bed.dir, { mode: 0o700 });
  const foreign = [
    '1.jsonl',
    '00000000000000000007.json',
    'x00000000000000000009.jsonl',
    'lost+found',
  ];
  for (const file of foreign) writeFileSync(join(bed.dir, file), 'foreign');
  const journal = await bed.open();
  await append(journal, 'one');
  await journal.close();
  assert.deepEqual(readdirSync(bed.dir).sort(), [...foreign, segmentName(1), RESERVE].sort());
});

test('when the open segment is removed by others, the next lines are written to a new one', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open();
  await append(journal, 'one');
  rmSync(join(bed.dir, segmentName(1)));
  await append(journal, 'two');
  await append(journal, 'three');
  assert.deepEqual(linesOf(bed.dir), ['two', 'three']);
  await journal.close();
});

test('when the folder is removed by others, the next lines are refused', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open();
  await append(journal, 'one');
  rmSync(bed.dir, { recursive: true });
  await assert.rejects(append(journal, 'two'), { code: 'JOURNAL_REPLACED' });
  await journal.close();
});

test('a writer that is killed at any moment leaves every line that it had confirmed, once and in order', async (t) => {
  const bed = createBed(t);
  let confirmed = -1;
  for (let round = 0; round < 8; round++) {
    const { child, said } = startWriter(bed.dir, { lines: 1e9, batch: 20, padding: 400 });
    const patience = Math.random() * 120;
    while (said() === '') await pause(2);
    await pause(patience);
    child.kill('SIGKILL');
    await ended(child);
    confirmed = Math.max(confirmed, ...said().split('\n').slice(0, -1).map(Number));
    const numbers = linesOf(bed.dir).map((line) => JSON.parse(line).n);
    assert.ok(numbers.length > confirmed, `${numbers.length} lines, ${confirmed} confirmed`);
    for (const [at, n] of numbers.entries()) assert.equal(n, at);
  }
  const { child } = startWriter(bed.dir, { lines: confirmed + 1000, batch: 20, padding: 400 });
  await ended(child);
  assert.equal(child.exitCode, 0);
  for (const [at, line] of linesOf(bed.dir).entries()) assert.equal(JSON.parse(line).n, at);
  assert.ok(readdirSync(bed.dir).every((file) => !file.endsWith('.tmp')));
});

/** Waits until this many segments are compressed. */
async function compressed(dir: string, count: number): Promise<void> {
  for (let wait = 0; wait < 500; wait++) {
    const names = readdirSync(dir);
    if (
      names.filter((file) => file.endsWith('.zst') && !names.includes(file.slice(0, -4))).length >=
      count
    )
      return;
    await pause(10);
  }
  throw new Error(`not compressed: ${readdirSync(dir).join()}`);
}
