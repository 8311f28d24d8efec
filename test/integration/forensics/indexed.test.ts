import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { narrowToChain } from '../../../forensics/indexed/narrow-chain.ts';
import { narrowToSelection } from '../../../forensics/indexed/narrow-selection.ts';
import { decodeIndex } from '../../../record/index/segment-index.ts';
import { HOOK, lines, sound, text } from '../../check/craft.ts';
import { Folder, opened, segment, vcml } from '../../support/forensics.ts';
import {
  changedCopy,
  flipBit,
  idOf,
  RECORDS,
  record,
  removeIndexes,
  SEGMENTS,
  timeOf,
  writeIndexed,
} from '../../support/journal/indexed-journal.ts';
import { indexName } from '../../support/journal/segment-name.ts';

const folder = new Folder();
after(() => folder.close());

const compressed = (number: number) => `${segment(number)}.zst`;

/** Returns the same inputs without any index. */
function without(dirs: readonly string[]): string[] {
  return dirs.map((dir) => changedCopy(dir, `${basename(dir)}-without`, removeIndexes));
}

const last = SEGMENTS * RECORDS - 1;
const COMMANDS: readonly (readonly string[])[] = [
  ['chain', idOf(last)],
  ['chain', '--output', 'jsonl', idOf(last).slice(0, 8).toUpperCase()],
  ['chain', '--output', 'jsonl', idOf(last + 20)],
  ['chain', idOf(RECORDS)],
  ['chain', 'ffff'],
  ['chain', '00000000-0000-5000-8000-000000000000'],
  ['tree', idOf(last - 5)],
  ['tree', '--depth', '1', '--output', 'jsonl', idOf(RECORDS + 50)],
  ['tree', '--output', 'jsonl', '--limit', '400', '--pod', 'cart-11'],
  ['query', '--output', 'jsonl', '--pod', 'shop/cart-7'],
  ['query', '--output', 'jsonl', '--pod', 'cart-[23]9', '--limit', '700'],
  ['query', '--since', timeOf(last - 40), '--until', timeOf(last + 10)],
  ['query', '--output', 'csv', '--pod', 'cart-20', '--arg', 'nothing'],
  ['query', '--exe', 'nothing', '--node', 'node', '--until', timeOf(0)],
];

/** Some of them, where the inputs are what differs. */
const FEW = COMMANDS.filter((_, n) => [0, 5, 8, 11].includes(n));

/** Checks that commands answer the same with indexes and without. */
async function isSame(
  dirs: readonly string[],
  says?: RegExp,
  commands = says === undefined ? COMMANDS : FEW,
): Promise<void> {
  const bare = without(dirs);
  const hidden = (shown: string) => shown.replaceAll('-without', '');
  for (const command of commands) {
    const [own, other] = await Promise.all([vcml(...command, ...dirs), vcml(...command, ...bare)]);
    const what = command.join(' ');
    assert.equal(own.code, other.code, `${what}: ${own.stderr}`);
    assert.equal(own.stdout, hidden(other.stdout), what);
    const remarks = own.stderr.split('\n').filter((line) => !line.includes('.index'));
    assert.equal(remarks.join('\n'), hidden(other.stderr), what);
    if (says !== undefined) assert.match(own.stderr, says, what);
  }
  for (const dir of bare) rmSync(dir, { recursive: true });
}

const whole = join(folder.path, 'whole');
const odd = join(folder.path, 'odd');
const two = join(folder.path, 'two');
/** Returns the line of another node that claims to be the n-th record. */
function forged(n: number): string {
  const one = record(n);
  return text({ ...one, resource: { ...one.resource, 'host.name': 'other' } });
}
before(async () => {
  await writeIndexed(whole, () => {});
  await writeIndexed(odd, (texts) => {
    const [first, second, third, open] = texts;
    const foreign = lines(Object.values(sound())).map((line) => line.replace(/"pid":/, ' "pid":'));
    first?.splice(300, 0, '', '{"id":"x","parent_cause":"y"}', '\0\0\0', '{"id":', ...foreign);
    // the same id again, once with the same content and once with another one
    second?.splice(500, 0, text(record(last - 1)), text(record(RECORDS + 3, { 'vcml.cpu': 7 })));
    third?.splice(20, 1, (third?.[20] ?? '').slice(0, 400));
    open?.push(`{"id":"${idOf(last + 1)}","timestamp":`);
  });
  await writeIndexed(two, ([, second, third]) => {
    third?.splice(5976, 0, forged(17_975), forged(last));
    second?.splice(1, 0, forged(RECORDS), forged(RECORDS - 100));
  });
});

describe('with an index, every command answers the same as without it', { concurrency: 1 }, () => {
  test('from a sound journal', () => isSame([whole]));

  test('where lines are no records, repeat others, or are not the agent’s', () => isSame([odd]));

  test('where another node has some of the ids', async () => {
    await isSame([two]);
    const asked = ['--output', 'jsonl', idOf(last - 1), two];
    const chain = await vcml('chain', ...asked);
    assert.equal(chain.code, 0, chain.stderr);
    assert.ok(chain.stdout.includes(idOf(17_975)) && chain.stdout.includes(idOf(0)));
    assert.doesNotMatch(chain.stdout, /"other"/);
    const several = await vcml('chain', idOf(last), two);
    assert.match(several.stderr, /several nodes have a record/);
    const own = await vcml('chain', '--node', 'node', '--output', 'jsonl', idOf(last), two);
    assert.ok(own.stdout.includes(idOf(0)));
    assert.doesNotMatch(own.stdout, /"other"/);
  });

  test('where a bit of a segment is flipped', async () => {
    for (const share of [0.2, 0.9]) {
      const dir = changedCopy(whole, `flipped-${share}`, (one) =>
        flipBit(join(one, compressed(2)), share),
      );
      await isSame([dir], /2\.index: not used/);
    }
  });

  test('where a segment is cut off, or another one has its name', async () => {
    const dir = changedCopy(whole, 'cut', (one) => {
      const bytes = readFileSync(join(one, compressed(3)));
      writeFileSync(join(one, compressed(3)), bytes.subarray(0, bytes.length / 2));
      copyFileSync(join(one, compressed(2)), join(one, compressed(1)));
    });
    await isSame([dir], /1\.index: not used: it is not the index of this segment/);
  });

  test('where an index is damaged, of another segment, or absent', async () => {
    const dir = changedCopy(whole, 'index', (one) => {
      flipBit(join(one, indexName(1)), 0.5);
      copyFileSync(join(one, indexName(2)), join(one, indexName(3)));
      rmSync(join(one, indexName(2)));
    });
    await isSame([dir], /1\.index: not used(.|\n)*3\.index: not used/);
  });

  test('where two journals have records of both, some with other contents', async () => {
    const dir = changedCopy(whole, 'pulled', (one) => {
      rmSync(join(one, compressed(1)));
      rmSync(join(one, indexName(1)));
      const open = readFileSync(join(one, segment(4)), 'utf8');
      writeFileSync(join(one, segment(4)), open.replaceAll('"vcml.cpu":0', '"vcml.cpu":1'));
    });
    await isSame([whole, dir], undefined, FEW);
  });
});

test('a chain and a selection are answered from few lines, and every other line is counted', async () => {
  const all = SEGMENTS * RECORDS + 50 + 1;
  const nowMs = Number(HOOK / 1_000_000n);
  for (const narrow of [
    (journals: Parameters<typeof narrowToChain>[0]) => narrowToChain(journals, idOf(last)),
    (journals: Parameters<typeof narrowToChain>[0]) =>
      narrowToSelection(journals, { pod: 'cart-7' }, nowMs),
  ])
    await opened([whole], async (journals) => {
      await narrow(journals);
      await journals.scan('narrowed', ['timestamp']);
      const read = journals.extents.reduce((sum, { count }) => sum + count, 0);
      assert.ok(read < 1000, `${read} lines read`);
      assert.equal(journals.recordCount, all);
      assert.deepEqual(journals.notes, []);
    });
});

test('the segments of these tests have several frames', () => {
  for (const number of [1, 2, 3]) {
    const index = decodeIndex(readFileSync(join(whole, indexName(number))));
    assert.ok(index.frames.length > 1);
    assert.ok(index.frames.every(({ isOurs }) => isOurs));
  }
});
