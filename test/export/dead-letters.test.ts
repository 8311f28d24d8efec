import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { keepDeadLetter } from '../../agent/export/send/dead-letters.ts';
import { readLines } from '../../agent/journal/read.ts';
import { execLine, execLines, sameLines } from '../support/journal/lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { until } from '../support/until.ts';

const lettersOf = (dir: string) =>
  readFileSync(join(dir, 'dead-letters.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((letter) => JSON.parse(letter));

test('a dead letter that cannot be written holds the export, which says so, and loses nothing', async (t) => {
  const bed = await createExportBed(t);
  const bad = execLine(1);
  const collector = await bed.collect({
    answer: (lines) =>
      lines.includes(bad) ? { kind: 'fail', code: status.INVALID_ARGUMENT } : { kind: 'accept' },
  });
  // Nobody can write to it, whoever runs the test.
  const file = join(bed.dir, 'dead-letters.jsonl');
  mkdirSync(file);
  const { statistics } = bed.start(collector.port);
  await bed.write(...execLines(0, 4));
  await until('failures', () => statistics.deadLetterFailures > 2);
  equal(statistics.deadLetters, 0);
  const told = bed.log.filter((line) => line.includes('dead_letter_write_failed'));
  equal(told.length, 1, 'it is logged once a minute');
  rmdirSync(file);
  await until('the others', () => statistics.exported === 3);
  deepEqual(
    lettersOf(bed.dir).map(({ line }) => line),
    [bad],
  );
  sameLines([...new Set(collector.lines)], [execLine(0), ...execLines(2, 4)]);
});

test('a refused record whose segment is damaged meanwhile is set aside with its line', async (t) => {
  const bed = await createExportBed(t, { segmentMaxBytes: 1000 });
  const bad = execLine(0);
  let isBad = true;
  const collector = await bed.collect({
    answer: (lines) =>
      isBad || lines.includes(bad) ? { kind: 'fail', code: status.INTERNAL } : { kind: 'accept' },
  });
  const { statistics } = bed.start(collector.port);
  for (const line of execLines(0, 4)) await bed.write(line);
  const first = join(bed.dir, `${segmentName(1)}.zst`);
  const plain = join(bed.dir, segmentName(1));
  await until('the first segment compressed', () => existsSync(first) && !existsSync(plain));
  await until('refusals', () => collector.calls.length > 2);
  writeFileSync(first, 'not zstd');
  isBad = false;
  await until('the others', () => statistics.exported === 3);
  deepEqual(
    lettersOf(bed.dir).map(({ line }) => line),
    [bad],
  );
});

test('a dead letter whose line is in a damaged segment has none', async (t) => {
  const { dir, reopen } = await createExportBed(t);
  writeFileSync(join(dir, `${segmentName(1)}.zst`), 'not zstd');
  await reopen();
  const journal = {
    dir,
    readLines: (from: { segment: number; offset: number }) => readLines(dir, from),
  };
  const letter = { start: { segment: 1, offset: 0 }, refusal: { code: 'UNREADABLE', details: '' } };
  await keepDeadLetter(journal, letter, { log: () => {}, mayBeUnsynced: false });
  const [{ line, code }] = lettersOf(dir);
  deepEqual([line, code], [null, 'UNREADABLE']);
  ok(existsSync(join(dir, 'dead-letters.jsonl')));
});
