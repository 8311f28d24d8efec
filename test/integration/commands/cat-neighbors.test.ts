import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Draft, exec, HOOK, lines, loss, start, time } from '../../check/craft.ts';
import {
  changedCopy,
  RECORDS,
  removeIndexes,
  SEGMENTS,
  writeIndexed,
} from '../../support/journal/indexed-journal.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SECOND = 1_000_000_000;
const FAR = /^vcml-agent: --neighbors: the journal continues behind what was searched\n$/;

const folder = temporaryFolder();

/** Prints a time and what is around it; returns what names the records, and stderr. */
function cat(dir: string, ...times: readonly string[]) {
  const args = ['cat', '--journal-dir', dir, '--neighbors', ...times];
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr } = spawnSync(AGENT_BIN, args, options);
  assert.equal(status, 0, stderr);
  const printed = stdout.trimEnd().split('\n').filter(Boolean);
  return { names: printed.map((line) => nameOf(JSON.parse(line))), stderr };
}

/** Returns CPU and number, or the action of a record about the journal. */
function nameOf({ action, attributes }: Draft): string {
  if (action !== 'exec') return String(action);
  return `${attributes['vcml.cpu']}:${attributes['vcml.seq']}`;
}

const at = (seconds: number) => time(HOOK + BigInt(seconds * SECOND));
const run = (second: number, cpu: number, seq: number) =>
  exec(second * SECOND, 100 + second, cpu, seq);

function journalOf(name: string, records: readonly Draft[]): string {
  const dir = join(folder, name);
  mkdirSync(dir);
  const text = lines(records).map((line) => `${line}\n`);
  writeFileSync(join(dir, segmentName(1)), text.join(''));
  return dir;
}

test('the nearest record of each CPU and those about the journal are printed after the time', () => {
  const dir = journalOf('small', [
    start([1, 1, 1]),
    run(1, 0, 1),
    run(2, 1, 1),
    run(3, 0, 2),
    loss(4 * SECOND - 1, 1, 1, 2, 3),
    run(4, 1, 4),
    run(5, 0, 3),
    loss(6 * SECOND - 1, 2, 1, 5, 5),
    run(6, 1, 6),
    run(7, 0, 4),
    run(8, 1, 7),
    run(9, 0, 5),
  ]);
  const { names, stderr } = cat(dir, '--since', at(3.5), '--until', at(5.5));
  assert.equal(stderr, '');
  assert.deepEqual(names.slice(0, 3), ['journal.loss', '1:4', '0:3']);
  assert.deepEqual(names.slice(3).sort(), [
    '0:2',
    '0:4',
    '1:1',
    '1:6',
    'journal.loss',
    'journal.start',
  ]);
  assert.deepEqual(cat(dir, '--since', at(8.5)).names.slice(0, 1), ['0:5']);
  assert.deepEqual(cat(dir, '--since', at(100)).names.sort().slice(0, 2), ['0:5', '1:7']);
  const first = ['0:1', '1:1', 'journal.loss', 'journal.loss', 'journal.start'];
  assert.deepEqual(cat(dir, '--until', at(0)).names.sort(), first);
  assert.equal(cat(dir).names.length, 12);
});

test('frames of compressed segments are searched, as far as they are near', async () => {
  const whole = join(folder, 'whole');
  await writeIndexed(whole, () => {});
  const bare = changedCopy(whole, 'bare', removeIndexes);
  const last = SEGMENTS * RECORDS - 1;
  /** The time of the n-th record, which has the number n + 1. */
  const timeOf = (n: number) => time(HOOK + BigInt(10 * n + 10));
  for (const dir of [whole, bare])
    for (const [from, to] of [
      [RECORDS - 2, RECORDS + 3],
      [2 * RECORDS + 3000, 2 * RECORDS + 3001],
      [last - 1, last + 5],
    ] as const) {
      const { names } = cat(dir, '--since', timeOf(from), '--until', timeOf(to));
      const numbers = names.filter((name) => name !== 'journal.start').map(seqOf);
      const inTime = Array.from({ length: to - from }, (_, n) => from + 1 + n);
      assert.deepEqual(numbers, [...inTime, from, to + 1]);
    }
  assert.match(cat(whole, '--until', timeOf(10)).stderr, FAR);
  assert.equal(cat(whole, '--until', timeOf(last)).stderr, '');
  assert.equal(cat(whole, '--since', timeOf(last)).stderr, '');
});

function seqOf(name: string): number {
  return Number(name.split(':')[1]);
}

test('neighbors of a pod or of a record are not asked for', () => {
  for (const more of [
    ['--pod', 'x'],
    ['--id', '4a7107b4'],
  ]) {
    const { status, stderr } = spawnSync(AGENT_BIN, ['cat', '--neighbors', ...more], {
      encoding: 'utf8',
    });
    assert.equal(status, 64);
    assert.match(stderr, /cannot be used with option/);
  }
});
