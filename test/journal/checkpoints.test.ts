import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Journal, JournalOptions } from '../../agent/journal/journal.ts';
import { append, type Bed, createBed, numbered } from '../support/journal/bed.ts';
import { checkpointLines } from '../support/journal/checkpoint-line.ts';
import { judgeCheckpoints } from '../support/journal/judge-checkpoints.ts';
import { segmentTexts } from '../support/journal/read-lines.ts';
import { segmentName } from '../support/journal/segment-name.ts';

const SMALL = { segmentMaxBytes: 2000 };

async function open(bed: Bed, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await bed.open(options);
  journal.sealWith(checkpointLines(), () => true);
  return journal;
}

/** Verifies the journal, and returns its checkpoints as `size reason`. */
function sizesIn(bed: Bed, problems: readonly string[] = []): string[] {
  const judged = judgeCheckpoints(segmentTexts(bed.dir));
  assert.deepEqual(judged.problems, problems);
  return judged.checkpoints.map((one) => {
    const reason = one['vcml.checkpoint.reason'];
    const unverified = one['vcml.checkpoint.unverified_segments'];
    return [one['vcml.checkpoint.size'], reason, unverified].filter((part) => part).join(' ');
  });
}

describe('checkpoints', () => {
  test('none is written while nothing else is', async (t) => {
    const bed = createBed(t);
    const journal = await open(bed, { checkpointIntervalMs: 5 });
    await journal.seal();
    await pause(30);
    assert.equal(journal.position.offset, 0);
    await append(journal, 'one');
    await journal.seal();
    const { offset } = journal.position;
    await pause(30);
    await journal.seal();
    assert.equal(journal.position.offset, offset);
    await journal.close();
    assert.deepEqual(sizesIn(bed), ['1 new']);
  });

  test('one follows within the interval, also if nothing more is written', async (t) => {
    const bed = createBed(t);
    const journal = await open(bed, { checkpointIntervalMs: 5 });
    await append(journal, 'one');
    while (sizesIn(bed).length === 0) await pause(5);
    await append(journal, 'two');
    while (sizesIn(bed).length === 1) await pause(5);
    await journal.close();
    assert.deepEqual(sizesIn(bed), ['1 new', '2']);
  });

  test('one follows 4 MiB, once the batch is written', async (t) => {
    const bed = createBed(t);
    const journal = await open(bed, { segmentMaxBytes: 64 << 20 });
    for (let mebibytes = 0; mebibytes < 9; mebibytes++) {
      await append(journal, 'x'.repeat((1 << 20) - 1));
      await journal.seal({ ifDue: true });
    }
    await journal.close();
    assert.deepEqual(sizesIn(bed), ['1 new', '2']);
  });

  test('one is the last line of every segment, and each segment verifies by itself', async (t) => {
    const bed = createBed(t);
    const journal = await open(bed, SMALL);
    for (let n = 0; n < 40; n++) {
      await append(journal, ...numbered(100 * n, 100 * n + 100));
      if (n % 3 === 0) await journal.seal();
    }
    await journal.seal();
    await journal.close();
    const texts = segmentTexts(bed.dir);
    assert.ok(texts.length > 10);
    const { problems, checkpoints, tail } = judgeCheckpoints(texts);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      checkpoints.map((one) => one['vcml.checkpoint.size']),
      checkpoints.map((_, n) => n + 1),
    );
    assert.equal(tail, 0);
    for (let from = 0; from < texts.length; from++)
      assert.deepEqual(judgeCheckpoints(texts.slice(from)).problems, []);
  });

  test('the next run continues the tree, wherever the last one ended', async (t) => {
    const bed = createBed(t);
    for (let run = 0; run < 30; run++) {
      const journal = await open(bed, SMALL);
      for (let batch = 0; batch < run % 5; batch++)
        await append(journal, ...numbered(run, run + 40));
      if (run % 3 > 0) await journal.seal();
      if (run % 3 > 1) await append(journal, 'behind the checkpoint');
      await journal.close();
    }
    const journal = await open(bed, SMALL);
    await append(journal, 'last');
    await journal.seal();
    await journal.close();
    const sizes = sizesIn(bed);
    assert.deepEqual(
      sizes.slice(1),
      sizes.slice(1).map((_, n) => `${n + 2}`),
    );
    assert.equal(sizes[0], '1 new');
  });

  test('a run does not speak before its first line, although the segment is full', async (t) => {
    const bed = createBed(t);
    const first = await open(bed, SMALL);
    await append(first, ...numbered(0, 300));
    await first.close();
    const second = await open(bed, SMALL);
    await append(second, 'the start of the second run');
    await second.seal({ ifDue: true });
    await append(second, 'more');
    await second.seal();
    await second.close();
    assert.deepEqual(sizesIn(bed), ['1 new', '2']);
    const [text = ''] = segmentTexts(bed.dir).map(String);
    assert.match(text, /second run\n\{"id".*journal\.checkpoint.*\n$/);
  });

  test('a tail that is torn at any byte leads to no false alarm', async (t) => {
    const bed = createBed(t);
    const journal = await open(bed);
    await append(journal, 'one');
    await journal.seal();
    await append(journal, 'two');
    await journal.close();
    const file = join(bed.dir, segmentName(1));
    const whole = readFileSync(file);
    for (let length = 0; length <= whole.length; length += 1 + (length % 31)) {
      writeFileSync(file, whole.subarray(0, length));
      const next = await open(bed);
      await append(next, 'three');
      await next.seal();
      await next.close();
      const sizes = sizesIn(bed);
      const isKept = length >= whole.indexOf('two');
      assert.deepEqual(sizes, isKept ? ['1 new', '2'] : sizes.length > 1 ? sizes : ['1 new']);
    }
  });
});

describe('a new epoch', () => {
  const first = async (bed: Bed, text = 'one') => {
    const journal = await open(bed, SMALL);
    await append(journal, text);
    await journal.seal();
    await journal.close();
  };
  const next = async (bed: Bed, options: Partial<JournalOptions> = {}) => {
    const journal = await open(bed, { ...SMALL, ...options });
    await append(journal, 'next');
    await journal.seal();
    await journal.close();
  };

  test('says that the journal ends before a position that it had reached', async (t) => {
    const bed = createBed(t);
    await first(bed);
    await next(bed, { known: [{ segment: 1, offset: 1_000_000 }] });
    assert.deepEqual(sizesIn(bed), ['1 new', '1 truncated']);
    await next(bed, { known: [{ segment: 1, offset: 10 }] });
    assert.deepEqual(sizesIn(bed), ['1 new', '1 truncated', '2']);
    const [, { 'vcml.checkpoint.previous_size': size } = {}] = judgeCheckpoints(
      segmentTexts(bed.dir),
    ).checkpoints;
    assert.equal(size, 1);
  });

  test('says so, too, if nothing is left', async (t) => {
    const bed = createBed(t);
    await next(bed, { known: [{ segment: 3, offset: 0 }] });
    assert.deepEqual(sizesIn(bed), ['1 truncated']);
  });

  test('follows lines of format 1, whose segments it counts', async (t) => {
    const bed = createBed(t);
    mkdirSync(bed.dir, { mode: 0o700 });
    for (const number of [1, 2, 3]) writeFileSync(join(bed.dir, segmentName(number)), '{"n":1}\n');
    await next(bed);
    assert.deepEqual(
      sizesIn(bed, ['segment 1 ends without a checkpoint', 'segment 2 ends without a checkpoint']),
      ['1 upgraded 2'],
    );
  });

  test('follows checkpoints that cannot be read', async (t) => {
    const bed = createBed(t);
    await first(bed);
    const file = join(bed.dir, segmentName(1));
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('checkpoint.root', 'checkpoint.boot'));
    await next(bed);
    const [, { 'vcml.checkpoint.reason': reason } = {}] = judgeCheckpoints(
      segmentTexts(bed.dir),
    ).checkpoints;
    assert.equal(reason, 'damaged');
  });

  test('follows a missing segment, because nobody knows its checkpoints', async (t) => {
    const bed = createBed(t);
    await first(bed);
    writeFileSync(join(bed.dir, segmentName(3)), '{"n":1}\n');
    await next(bed);
    assert.deepEqual(sizesIn(bed), ['1 new', '1 damaged']);
  });
});
