import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { append, createBed, ended, linesOf, startWriter } from '../../support/journal/bed.ts';
import { createFaults } from '../../support/journal/faults.ts';
import { deletionLine, numberedLine } from '../../support/journal/numbered-lines.ts';
import { until } from '../../support/until.ts';
import { DiskModel, type Luck, type Operation, readTrace } from './disk-model.ts';

const WHOLE = (): [number, number] => [0, 0];
const below = (most: number) => Math.floor(Math.random() * (most + 1));
const NOTHING: Luck = { change: () => false, bytes: () => 0, hole: WHOLE };
const EVERYTHING: Luck = { change: () => true, bytes: (most) => most, hole: WHOLE };
const CHANCE: Luck = { change: () => Math.random() < 0.5, bytes: below, hole: WHOLE };
const HOLES: Luck = {
  change: () => true,
  bytes: (most) => most,
  hole: (bytes) => {
    const from = below(bytes);
    return [from, from + below(bytes - from)];
  },
};

/** Everything that a writer did on disk; it slows down until segments were compressed and deleted. */
async function traceOf(t: TestContext, options: object): Promise<Operation[]> {
  for (let pauseMs = 3; ; pauseMs *= 2) {
    const { root, dir } = createBed(t);
    const faults = createFaults(root, dir, true);
    const sizes = { lines: 110, batch: 3, padding: 60, segmentMaxBytes: 1500 };
    const { child } = startWriter(dir, { ...sizes, pauseMs, ...options }, faults.env);
    await ended(child);
    assert.equal(child.exitCode, 0);
    const operations = readTrace(faults.trace, dir);
    const came = (end: string) =>
      operations.filter((one) => one.kind === 'rename' && one.to.endsWith(end)).length;
    if (came('.jsonl.zst') > 2 && came('deletions.json') > 2) return operations;
  }
}

/** Opens the journal after a power cut, records its deletions, and reads everything in it. */
async function lookAt(
  t: TestContext,
  dir: string,
): Promise<{ numbers: number[]; runs: number[][] }> {
  const bed = createBed(t);
  const open = async () => {
    const journal = await bed.open({ dir });
    const retired = await until('the ranges that are not recorded yet', () => {
      const runs = journal.takeRetired();
      return (runs.length > 0 || !existsSync(join(dir, 'deletions.json'))) && runs;
    });
    if (retired.length > 0) await append(journal, ...retired.map(deletionLine));
    return journal;
  };
  await (await open()).close();
  const lines = linesOf(dir);
  const journal = await open();
  const next = Math.max(0, ...lines.map((line) => nextOf(JSON.parse(line))));
  await append(journal, numberedLine(next, 'behind the cut'));
  await journal.close();
  assert.deepEqual(bed.problems, []);
  assert.equal(linesOf(dir).length, lines.length + 1, 'a second start tells nothing more');
  const records = linesOf(dir).map((line) => JSON.parse(line));
  return {
    numbers: records.filter(({ n }) => n !== undefined).map(({ n }) => n),
    runs: records
      .filter(({ n }) => n === undefined)
      .map((loss) => [loss['vcml.loss.first_seq'], loss['vcml.loss.last_seq']]),
  };
}

/** The first number behind a line. */
function nextOf(line: Record<string, number>): number {
  return line['vcml.seq'] ?? line['vcml.loss.last_seq'] ?? 0;
}

/** The remaining numbers have no hole, and each missing range is recorded as deleted, once. */
function judge(
  { numbers, runs }: { numbers: number[]; runs: number[][] },
  confirmed: number,
): void {
  const [first = 0] = numbers;
  const last = first + numbers.length - 1;
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => first + i),
  );
  assert.ok(last > confirmed, `${confirmed} confirmed, ${last} is the last`);
  assert.equal(new Set(runs.map(String)).size, runs.length, `twice: ${runs.join(' ')}`);
  let next = 1;
  for (const [from = 0, to = 0] of runs.toSorted(([a = 0], [b = 0]) => a - b)) {
    assert.ok(from <= next, `${next} is nowhere: ${runs.join(' ')}`);
    next = Math.max(next, to + 1);
  }
  assert.equal(next, first + 1, `deleted: ${runs.join(' ')}`);
}

for (const [sync, luck, what] of [
  ['always', NOTHING, 'nothing but what was synced is there'],
  ['always', CHANCE, 'some of what was not synced is there, too'],
  ['interval', HOLES, 'what was not synced has holes'],
  ['interval', CHANCE, 'some of what was not synced is there, too'],
  ['never', CHANCE, 'some of what was not synced is there, too'],
  ['never', EVERYTHING, 'everything is there, as when the process was killed'],
] as const)
  test(`power cut between any two operations on files, sync ${sync}: ${what}`, async (t) => {
    const operations = await traceOf(t, { sync, maxBytes: 2200 });
    const { root } = createBed(t);
    const disk = new DiskModel();
    let confirmed = -1;
    for (const [n, operation] of operations.entries()) {
      disk.apply(operation);
      if (operation.kind === 'printed' && sync === 'always') confirmed = Number(operation.text);
      const dir = join(root, String(n));
      disk.cut(dir, luck);
      try {
        judge(await lookAt(t, dir), confirmed);
      } catch (error) {
        throw new Error(`after operation ${n}, ${JSON.stringify(operation)}`, { cause: error });
      }
      rmSync(dir, { recursive: true });
    }
  });
